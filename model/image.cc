#include "model/image.h"

#include <png.h>

#include <cstddef>
#include <stdexcept>

namespace glyphward::model {
namespace {

constexpr std::uint64_t kPixelsMax = 64'000'000;

// libpng's simplified interface keeps its state here, and its message where it fails.
class PngImage {
 public:
  PngImage() { image_.version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(&image_); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;

  png_image* operator->() { return &image_; }
  png_image* get() { return &image_; }

  void check(int succeeded) const {
    if (succeeded == 0) throw std::runtime_error(std::string("PNG: ") + image_.message);
  }

 private:
  png_image image_{};
};

void check_size(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0 || width > kPixelsMax || height > kPixelsMax ||
      width * height > kPixelsMax) {
    throw std::runtime_error("PNG: expected 1 to " + std::to_string(kPixelsMax) +
                             " pixels, found " + std::to_string(width) + " x " +
                             std::to_string(height));
  }
}

}  // namespace

std::string encode_png(const Image& image) {
  if (image.width < 0 || image.height < 0) throw std::runtime_error("PNG: negative size");
  check_size(static_cast<std::uint64_t>(image.width), static_cast<std::uint64_t>(image.height));
  const std::size_t bytes =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3;
  if (image.rgb.size() != bytes) {
    throw std::runtime_error("PNG: expected " + std::to_string(bytes) + " bytes of pixels, found " +
                             std::to_string(image.rgb.size()));
  }
  PngImage png;
  png->width = static_cast<png_uint_32>(image.width);
  png->height = static_cast<png_uint_32>(image.height);
  png->format = PNG_FORMAT_RGB;
  std::string encoded(PNG_IMAGE_PNG_SIZE_MAX(*png.get()), '\0');
  png_alloc_size_t size = encoded.size();
  png.check(
      png_image_write_to_memory(png.get(), encoded.data(), &size, 0, image.rgb.data(), 0, nullptr));
  encoded.resize(size);
  return encoded;
}

Image decode_png(std::string_view bytes) {
  PngImage png;
  png.check(png_image_begin_read_from_memory(png.get(), bytes.data(), bytes.size()));
  check_size(png->width, png->height);
  // Anything else would be converted, and a picture with transparency would need a ground to stand
  // on.
  if (png->format != PNG_FORMAT_RGB) throw std::runtime_error("PNG: expected 8-bit RGB");
  Image image{
      .width = static_cast<int>(png->width), .height = static_cast<int>(png->height), .rgb = {}};
  image.rgb.resize(PNG_IMAGE_SIZE(*png.get()));
  png.check(png_image_finish_read(png.get(), nullptr, image.rgb.data(), 0, nullptr));
  return image;
}

}  // namespace glyphward::model
