#include "train/model/face_input.h"

#include <cstring>

#include "core/cuda_stream.h"
#include "core/error.h"

namespace twinage {

// Pinned memory of the host -> `arriving`, on a stream of its own -> block_, on the engine's.
struct FaceInput::Upload {
  explicit Upload(std::size_t bytes) : arriving(bytes, Device::cuda), pinned(bytes) {}

  CudaStream stream;
  Array<std::uint8_t> arriving;
  PinnedMemory pinned;
};

FaceInput::FaceInput(const Engine& engine, Index batch, Index side, Index size)
    : engine_(engine),
      side_(side),
      variation_bytes_(static_cast<std::size_t>(batch) * sizeof(ImageVariation)),
      pixel_bytes_(static_cast<std::size_t>(batch * side * side * 3)),
      images_({batch, size, size, 3}, engine.context().device) {
  const Device device = engine.context().device;
  if (device == Device::cpu) return;
  block_ = Array<std::uint8_t>(variation_bytes_ + pixel_bytes_, device);
  if (device == Device::cuda) upload_ = std::make_unique<Upload>(block_.size());
}

FaceInput::~FaceInput() = default;

Index FaceInput::device_bytes(Device device, Index batch, Index side, Index size) {
  const Index floats = batch * size * size * 3 * static_cast<Index>(sizeof(float));
  const Index block = batch * (static_cast<Index>(sizeof(ImageVariation)) + side * side * 3);
  const Index blocks = device == Device::cpu ? 0 : device == Device::cuda ? 2 : 1;
  return floats + blocks * block;
}

// Variations come first: they are the ones that need an alignment.
FaceInput::Faces FaceInput::faces_in(const std::uint8_t* block) const {
  return {block + variation_bytes_, reinterpret_cast<const ImageVariation*>(block)};
}

void FaceInput::send(std::span<const std::uint8_t> pixels,
                     std::span<const ImageVariation> variations) {
  require(pixels.size() == pixel_bytes_ && variations.size_bytes() == variation_bytes_,
          "[face_input] expected {} faces of {} x {} x 3 bytes, got {} variations and {} bytes",
          images_.shape().n, side_, side_, variations.size(), pixels.size());
  sent_ = {pixels.data(), variations.data()};
  if (upload_) {
    upload_->stream.synchronize();  // the last copy out of the pinned memory
    auto* pinned = static_cast<std::uint8_t*>(upload_->pinned.data());
    std::memcpy(pinned, variations.data(), variation_bytes_);
    std::memcpy(pinned + variation_bytes_, pixels.data(), pixel_bytes_);
    upload_->stream.copy(upload_->arriving.data(), pinned, block_.size());
  }
}

void FaceInput::receive() {
  require(sent_.pixels != nullptr, "[face_input] expected faces before a step: call send()");
  received_ = block_.size() > 0 ? faces_in(block_.data()) : sent_;
  if (upload_) {
    CudaStream& stream = *engine_.stream();
    stream.wait_for(upload_->stream);
    stream.copy(block_.data(), upload_->arriving.data(), block_.size());
    upload_->stream.wait_for(stream);  // the next faces may arrive from here on
  } else if (block_.size() > 0) {
    const Device device = block_.device();
    copy_bytes(block_.data(), device, sent_.variations, Device::cpu, variation_bytes_);
    copy_bytes(block_.data() + variation_bytes_, device, sent_.pixels, Device::cpu, pixel_bytes_);
  }
}

void FaceInput::normalize() {
  normalize_images(engine_.context(), images_.view(), received_.pixels, side_,
                   received_.variations);
}

}  // namespace twinage
