#!/usr/bin/env python3
"""Reads a face with Twinage's C interface: read_face.py RUN FACE (TWINAGE_LIBRARY: where libtwinage.so is)"""
import ctypes
import json
import os
import sys

library = ctypes.CDLL(os.environ.get("TWINAGE_LIBRARY", "libtwinage.so.0"))
library.twinage_message.restype = ctypes.c_char_p
library.twinage_json.restype = ctypes.c_char_p
library.twinage_json.argtypes = library.twinage_face_free.argtypes = [ctypes.c_void_p]
library.twinage_close.argtypes = [ctypes.c_void_p]
library.twinage_open.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
library.twinage_read_memory.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]


def check(status):
    if status != 0:
        sys.exit(library.twinage_message().decode())


def main(run, path):
    model, face = ctypes.c_void_p(), ctypes.c_void_p()
    picture = open(path, "rb").read()
    check(library.twinage_open(os.fsencode(run), None, ctypes.byref(model)))
    check(library.twinage_read_memory(model, picture, len(picture), ctypes.byref(face)))
    print(f"age {json.loads(library.twinage_json(face))['age']:.2f}")
    library.twinage_face_free(face)
    library.twinage_close(model)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: read_face.py RUN FACE")
    main(sys.argv[1], sys.argv[2])
