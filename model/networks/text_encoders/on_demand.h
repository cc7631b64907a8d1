// A text encoder that need not stay on the device between two requests.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "model/checkpoint/weights.h"
#include "model/networks/device.h"
#include "model/networks/module_weights.h"

namespace glyphward::model {

// Its file stays mapped; whoever uses it while it is away brings it back. One thread.
template <typename Module>
class OnDemand {
 public:
  // Opens it once, for its errors. Throws ConfigError.
  OnDemand(std::filesystem::path folder, Weights weights, const Target& target)
      : folder_(std::move(folder)), weights_(std::move(weights)), target_(target) {
    module_ = load_module<Module>(folder_, weights_, target_);
  }
  const Module& operator*() const {
    if (!module_) module_ = load_module<Module>(folder_, weights_, target_);
    return *module_;
  }
  const Module* operator->() const { return &**this; }
  void leave_device() const { module_.reset(); }

 private:
  std::filesystem::path folder_;
  Weights weights_;
  Target target_;
  mutable std::unique_ptr<const Module> module_;  // null: it left
};

}  // namespace glyphward::model
