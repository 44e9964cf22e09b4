// The stb libraries as this project sets them up. Include this, never <stb/...>.
#pragma once

// PNG and BMP have readers of their own (train/faces/pictures/png_reader.h,
// train/faces/pictures/bmp_reader.h).
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 65535
#define STBI_WRITE_NO_STDIO

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <stb/stb_image_write.h>
