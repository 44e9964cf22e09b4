#!/usr/bin/env python3
"""The fuzzers' first inputs: seeds.py FOLDER writes FOLDER/TARGET/NAME for every target.

Small files of every kind that the targets read, made here from nothing but Python's own library."""
import binascii
import json
import pathlib
import struct
import sys
import zlib


# --- JPEG: every coefficient zero, as all Huffman tables give "nothing" the code 0 -----------------

def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def huffman(kind, number, symbols):
    """The first symbol has the code 0, the second 10, and so on."""
    counts = [1] * len(symbols) + [0] * (16 - len(symbols))
    return segment(0xC4, bytes([kind << 4 | number]) + bytes(counts) + bytes(symbols))


def tables():
    return (segment(0xDB, b"\0" + bytes(range(1, 65))) + huffman(0, 0, [0, 3, 1, 5])
            + huffman(1, 0, [0x00, 0x01, 0x11, 0xF0, 0x10, 0x20]))


def frame(marker, width, height, sampling):
    content = struct.pack(">BHHB", 8, height, width, len(sampling))
    for i, s in enumerate(sampling):
        content += bytes([i + 1, s, 0])
    return segment(marker, content)


def scan(components, first=0, last=63, bits=0, data=b"\0" * 12):
    content = bytes([len(components)])
    for c in components:
        content += bytes([c, 0])
    return segment(0xDA, content + bytes([first, last, bits])) + data


def jpeg_seeds():
    start, end = b"\xFF\xD8", b"\xFF\xD9"
    app0 = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")
    yield "grey", start + app0 + tables() + frame(0xC0, 8, 8, [0x11]) + scan([1]) + end
    noise = bytes([0x5A, 0x91, 0x3C, 0x77, 0x0F, 0xB2]) * 4
    yield "noise", start + tables() + frame(0xC0, 16, 16, [0x11]) + scan([1], data=noise) + end
    yield "colour", start + app0 + tables() + frame(0xC0, 9, 7, [0x11] * 3) + scan([1, 2, 3]) + end
    for name, s in [("h2v2", 0x22), ("h2v1", 0x21), ("h1v2", 0x12), ("h4v1", 0x41)]:
        yield name, (start + tables() + frame(0xC0, 17, 9, [s, 0x11, 0x11])
                     + scan([1, 2, 3], data=b"\0" * 24) + end)
    yield "apart", (start + tables() + frame(0xC1, 8, 8, [0x11] * 3)
                    + scan([1]) + scan([2]) + scan([3]) + end)
    restart = segment(0xDD, b"\0\1")
    yield "restart", (start + tables() + restart + frame(0xC0, 16, 8, [0x11])
                      + scan([1], data=b"\0\xFF\xD0\0") + end)
    yield "cmyk", start + adobe + tables() + frame(0xC0, 8, 8, [0x11] * 4) + scan([1, 2, 3, 4]) + end
    progressive = (scan([1], 0, 0, 0x01) + scan([1], 1, 5, 0x02) + scan([1], 6, 63, 0x02)
                   + scan([1], 1, 63, 0x21) + scan([1], 0, 0, 0x10) + scan([1], 1, 63, 0x10))
    yield "progressive", start + tables() + frame(0xC2, 8, 8, [0x11]) + progressive + end
    yield "progressive_colour", (start + tables() + frame(0xC2, 16, 8, [0x21, 0x11, 0x11])
                                 + scan([1, 2, 3], 0, 0, 0) + scan([1], 1, 63, 0)
                                 + scan([3], 1, 63, 0) + end)
    yield "upright", (start + segment(0xE1, b"Exif\0\0" + tiff("<", 6)) + tables()
                      + frame(0xC0, 8, 16, [0x11]) + scan([1]) + end)
    yield "no_end", start + tables() + frame(0xC0, 8, 8, [0x11]) + scan([1])


# --- PNG -------------------------------------------------------------------------------------------

def chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", binascii.crc32(kind + content)))


def png(width, height, depth, colour, interlaced=0, before=b"", level=9, row_filter=0):
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    stride = (width * samples * depth + 7) // 8
    rows = b"".join(bytes([row_filter]) + bytes((7 * i + y) % 5 for i in range(stride))
                    for y in range(height * (3 if interlaced else 1)))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
            + before + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b""))


def png_seeds():
    palette = chunk(b"PLTE", bytes(range(48)))
    for colour, depths in {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16],
                           6: [8, 16]}.items():
        for depth in depths:
            yield f"c{colour}d{depth}", png(5, 4, depth, colour, 0, palette if colour == 3 else b"")
    yield "interlaced", png(8, 8, 8, 2, 1)
    yield "interlaced_bits", png(9, 9, 1, 0, 1)
    yield "stored", png(3, 3, 8, 0, 0, b"", 0)
    for f in range(1, 5):
        yield f"filter{f}", png(4, 4, 8, 2, 0, b"", 9, f)
    yield "transparent", png(4, 4, 8, 3, 0, palette + chunk(b"tRNS", b"\0\x80\xFF"))
    yield "transparent_grey", png(4, 4, 8, 0, 0, chunk(b"tRNS", b"\0\1"))
    yield "transparent_rgb", png(4, 4, 16, 2, 0, chunk(b"tRNS", b"\0\1\0\2\0\3"))
    yield "exif", png(4, 2, 8, 2, 0, chunk(b"eXIf", tiff(">", 6)))
    yield "iphone", png(2, 2, 8, 6, 0, chunk(b"CgBI", b"\x50\0\x20\2"))


# --- BMP -------------------------------------------------------------------------------------------

def bmp(width, height, bits, header=40, compression=0, palette=b"", masks=b"", data=None):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, 0, 0, 0,
                           len(palette) // 4, 0)
        info += masks.ljust(header - 40, b"\0") if header > 40 else masks
    if data is None:
        data = bytes((3 * i) % 256 for i in range((width * bits + 31) // 32 * 4 * abs(height)))
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + palette + data


def bmp_seeds():
    grey = lambda n: b"".join(bytes([i, i, i, 0]) for i in range(n))
    for bits in [1, 4, 8]:
        yield f"palette{bits}", bmp(5, 3, bits, palette=grey(2 ** min(bits, 4)))
    for bits in [16, 24, 32]:
        yield f"rgb{bits}", bmp(3, 3, bits)
        yield f"down{bits}", bmp(3, -3, bits)
    yield "old", bmp(3, 2, 24, 12)
    yield "old8", bmp(3, 2, 8, 12, palette=b"\1\2\3" * 16)
    yield "fields16", bmp(4, 2, 16, 40, 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "fields32", bmp(4, 2, 32, 40, 3, masks=struct.pack("<III", 0xFF0000, 0xFF00, 0xFF))
    yield "v4", bmp(4, 2, 32, 108, 3, masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    yield "v5", bmp(4, 2, 24, 124)
    yield "rle8", bmp(4, 2, 8, 40, 1, grey(4), data=b"\4\1\0\0\4\2\0\1")
    yield "rle4", bmp(4, 2, 4, 40, 2, grey(4), data=b"\4\x12\0\0\4\x21\0\1")


# --- The others ------------------------------------------------------------------------------------

def tiff(order, orientation, kind=3, tag=0x0112, count=1):
    value = struct.pack(order + ("H2x" if kind == 3 else "I"), orientation)
    entry = struct.pack(order + "HHI", tag, kind, count) + value
    width = struct.pack(order + "HHII", 0x0100, 4, 1, 640)
    return ((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
            + struct.pack(order + "H", 2) + width + entry + b"\0\0\0\0")


def exif_seeds():
    for order in "<>":
        for orientation in range(1, 9):
            yield f"{'le' if order == '<' else 'be'}{orientation}", tiff(order, orientation)
        yield f"long{ord(order)}", tiff(order, 3, 4)
    yield "whole", b"\xFF\xD8" + segment(0xE1, b"Exif\0\0" + tiff(">", 8)) + b"\xFF\xD9"
    yield "nonsense", tiff("<", 9)


def csv_seeds():
    for i, text in enumerate([
            ",path,age\na.jpg,30\n", ";path;age\r\na;4\r\n", "\tpath\tage\na\t4\n",
            ',"a, b","c ""d"""\n\n1,2\r\r\n', ',"open', ',"a"b\n', ",\ufeffpath,age\n,\n", ",a,\n,b",
            ',"line\r\nbreak"\n']):
        yield f"{i}", text.encode()


def manifest_seeds():
    for i, text in enumerate([
            "0path,age\nexe,30\nnone,20\n", "0path;age;gender;race;subject\nexe;34.0;f;0;ann\n",
            "1path,age\nexe,25-32\nexe,60+\nexe,more than 70\nexe,\"(25, 32)\"\n",
            "0path,age,gender,race\nexe,34 years old,male,White\nexe,nan,boy,Martian\nexe,1\n",
            "1path\tage\tgender\nexe\t+3\tunknown\n.\\exe\tunder 3\twoman\n~/a\t1\t\n",
            "0age,path\n0,\n121,exe\n-1,exe\n1e3,exe\n", "0path,path\n", "0\ufeffpath,age\n\"exe\",1",
            "0dob,photo_taken,full_path,gender,name,face_score,second_face_score\n"
            "723671,2009,exe,1.0,A,4.3,nan\n1981-7-2,2009.0,exe,female,,4.3,\n",
            "0file_name,real_age\nexe,4\n../exe,121\n",
            "0# twinage split 1\n# part train: 1 faces, fingerprint 0f\ntrain\ta b\ntest\tc\n",
            "0# twinage split 1\r\n0\ta\r\n1\tb\n2\tc"]):
        yield f"{i}", text.encode()


def file_name_seeds():
    for i, text in enumerate([
            "30_1_4_20170117123456789.jpg.chip.jpg", "0_0_0_x.png", "116_1_2_ 2017.jpg", "30__0_2017.jpg",
            "39_1_20170116174525125.jpg", "61_3_20170109150557335.jpg", "a_1_2_x.jpg", "121_0_0_x.jpg",
            "1_2_0_x.jpg", "1_0_5_x.jpg", "99999999999999999999_0_0_x.bmp", "007_01_04_", "3_1_1",
            "001A43a.JPG", "0001A16.jpg", "07381A100.jpg", "1000_StephenHawking_53_m.jpg",
            "1_2_30_m.jpg", "18/111/109428-0.jpg"]):
        yield f"{i}", text.encode()


CONFIG = "[training]\nsteps = 1\n[model]\nembedding = 2\n"


def toml_seeds():
    for i, text in enumerate([
            CONFIG, 'recipe = "paper"\n[training]\nminutes = 0.5\nseed = 7\nbatch = 8\n',
            '[data]\ntrain = "a/b"\nval = "\\u00e9 \\" \\\\"\nheld_out = 0.1\nworkers = 2\n'
            'age_ranges = "middle"\n[training]\nepochs = 1e2\n',
            '[loss]\nkind = "revised_contrastive"\npairs = "sampled"\nbalanced = true\nmargin = 1.5\n'
            'tau = 3\n[training]\nsteps = 0x10\n',
            '[augment]\nflip = false\ncrop = true\nzoom = 0.1\nrotation = 10\nerase = 0.5\n'
            '[training]\nsteps = 1_000\n',
            '[optimizer]\nrho = 0.9\nepsilon = 1e-6\nschedule = "constant"\nwarmup_steps = 5\n'
            'factor = 1e-300\n[training]\nsteps = 1\n',
            '[readout]\nkind = "knn"\nk = 5\nmirror = false\ngallery_max = 9\n[training]\nsteps=1\n',
            'training = {steps = 1, seed = -1}\n', 'training.steps = 9223372036854775807\n',
            '[loss]\nmargin = inf\ntau = nan\n', '[[data]]\ntrain = """\nx"""\n', 'a = 1979-05-27\n']):
        yield f"{i}", text.encode()


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors_seeds():
    def entry(kind, shape, begin, end):
        return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    yield "empty", safetensors({})
    yield "metadata", safetensors({"__metadata__": {"step": "12", "a": "b"}})
    yield "checksum", safetensors({"__metadata__": {"checksum": "0123456789abcdef"}})
    for kind, size in {"F32": 4, "F64": 8, "I32": 4, "I64": 8, "U8": 1}.items():
        yield kind, safetensors({"x": entry(kind, [2, 1], 0, 2 * size)}, b"\x01" * 2 * size)
    yield "two", safetensors({"x": entry("F32", [], 0, 4), "y": entry("U8", [3], 4, 7)}, b"\0" * 7)
    yield "none", safetensors({"x": entry("F32", [0, 5], 0, 0)})
    yield "overlapping", safetensors({"x": entry("U8", [2], 0, 2), "y": entry("U8", [2], 1, 3)}, b"abc")
    yield "large", safetensors({"x": entry("F32", [0, 2 ** 62], 0, 0)})
    yield "deep", safetensors(b"[" * 40)
    yield "short", b"\x08\0\0\0\0\0\0\0{}"


def model_seeds():
    def part(kind, content):
        return bytes([kind]) + struct.pack(">H", len(content)) + content

    def floats(*values):
        return b"\0" + struct.pack(f"<{len(values)}f", *values)

    def integers(*values):
        return b"\1" + struct.pack(f"<{len(values)}q", *values)

    def model(kind="comparison", extra=b"", names=(b"a.jpg", b"b.jpg"), ages=(20, 40), heads=""):
        ends, text = [], b""
        for name in names:
            text += name
            ends.append(len(text))
        config = CONFIG + heads + f'[readout]\nkind = "{kind}"\nk = 1\n'
        return (part(0, b"twinage-model-1") + part(1, config.encode()) + part(2, b"7")
                + part(3, b"2") + part(0x40, b"\x20" + struct.pack("<4f", 0, 1, 1, 0))
                + part(0x41, floats(*ages)) + part(0x42, b"\2" + text)
                + part(0x43, integers(*ends)) + part(0x47, floats(0.5, 1, 2))
                + part(0x48, floats(0.9, 0.5, 0.1)) + part(0x49, floats(3))
                + part(0x4A, floats(1, 1, 1)) + extra)

    for kind in ["comparison", "knn", "prototype"]:
        yield kind, model(kind)
    yield "held_out", model(extra=part(0x4B, integers(100)) + part(0x4C, floats(2)))
    yield "contents", model(extra=part(0x44, integers(1, 2)) + part(0x45, integers(-3))
                            + part(0x46, integers(4)))
    for kind in ["knn", "expectation"]:
        yield f"age_head_{kind}", model(kind, part(0x4D, floats(1.5)),
                                        heads='heads = ["embedding", "gender", "age"]\n')
    # No embeddings, no steps: what is left when nothing is compared.
    alone = CONFIG + 'heads = ["age"]\n[readout]\nkind = "expectation"\n'
    yield "age_head_alone", (part(0, b"twinage-model-1") + part(1, alone.encode()) + part(2, b"7")
                             + part(3, b"2") + part(0x41, floats(20, 40))
                             + part(0x42, b"\2ab") + part(0x43, integers(1, 2))
                             + part(0x49, floats(3)) + part(0x4D, floats(1.5)))
    yield "no_names", model(names=(b"", b""))
    yield "old_age", model("prototype", ages=(0, 1000))
    yield "other_format", part(0, b"pt")
    yield "not_a_number", part(0, b"twinage-model-1") + part(1, CONFIG.encode()) + part(2, b"1x")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for target, seeds in {"jpeg": jpeg_seeds, "png": png_seeds, "bmp": bmp_seeds,
                          "exif": exif_seeds, "csv": csv_seeds, "manifest": manifest_seeds,
                          "file_name": file_name_seeds, "toml": toml_seeds,
                          "safetensors": safetensors_seeds, "model": model_seeds}.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds():
            (folder / target / name).write_bytes(content)
