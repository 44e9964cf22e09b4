// The last part of a face's way: bytes of the host become the tower's input, on any device.
//
// Bytes travel, not floats: a quarter of the traffic. What becomes of each picture was drawn on the
// host (train/faces/augment); the arithmetic is the device's (kernels/normalize_images).
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "core/array.h"
#include "core/tensor.h"
#include "kernels/normalize_images/normalize_images.h"
#include "train/model/engine.h"

namespace twinage {

class FaceInput {
 public:
  // Pictures of side x side pixels become images of size x size. `engine` must outlive this.
  FaceInput(const Engine& engine, Index batch, Index side, Index size);
  ~FaceInput();
  // Of the device's memory, such an input's.
  static Index device_bytes(Device device, Index batch, Index side, Index size);

  // A coming batch: bytes [batch][side][side][3] and variations [batch], on the host. They stay as
  // they are until normalize() is done with them; a GPU has its copy when this returns.
  void send(std::span<const std::uint8_t> pixels, std::span<const ImageVariation> variations);
  // What was sent last is what normalize() works on from here on, and the next may be sent: on a
  // GPU it travels while this one is computed.
  void receive();
  // Makes images() of what was received. The device's work alone, so that it can be recorded.
  void normalize();

  ConstView images() const { return images_.view(); }  // (batch, size, size, 3)

 private:
  struct Faces {
    const std::uint8_t* pixels = nullptr;
    const ImageVariation* variations = nullptr;
  };
  struct Upload;

  Faces faces_in(const std::uint8_t* block) const;

  const Engine& engine_;
  Index side_;
  std::size_t variation_bytes_, pixel_bytes_;
  Tensor images_;
  Faces sent_, received_;
  Array<std::uint8_t> block_;       // on a device: variations, then pixels; empty on cpu
  std::unique_ptr<Upload> upload_;  // device cuda only
};

}  // namespace twinage
