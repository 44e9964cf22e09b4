// Which sanitizer this file is compiled with: fibers and shared memory tell it what they do.
#pragma once

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define TWINAGE_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define TWINAGE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)  // g++
#define TWINAGE_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define TWINAGE_TSAN 1
#endif

#if defined(TWINAGE_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(TWINAGE_TSAN)
#include <sanitizer/tsan_interface.h>
#endif
