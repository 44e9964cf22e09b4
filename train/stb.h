// The stb libraries as this project sets them up. Include this, never <stb/...>.
#pragma once

// Formats that announce themselves in their first bytes; TGA, for one, does not, and any file could
// be taken for it.
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 65535
#define STBI_WRITE_NO_STDIO

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <stb/stb_image_write.h>
