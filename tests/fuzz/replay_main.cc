// Runs a fuzz target without libFuzzer: over each seed file as it is, cut at every place (at most
// kCutsMax), and damaged by a fixed generator (kDamagedCopies), so that a run is repeatable. Prints
// the last input's origin on a crash's way.
//
// usage: PROGRAM SEED_FILE_OR_FOLDER...
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kCutsMax = 400;
constexpr int kDamagedCopies = 400;

void run(const std::string& bytes) {
  // A heap copy of the exact size: AddressSanitizer then sees a read past the end.
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

std::string damaged(std::string bytes, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1U << (random() % 8)));
        break;
      case 2:
        bytes.erase(at, 1 + random() % 8);
        break;
      default:
        bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 16));
        break;
    }
  }
  return bytes;
}

void replay(const std::filesystem::path& seed) {
  std::ifstream file(seed, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  std::cout << seed.string() << ": " << bytes.size() << " bytes" << std::endl;
  run(bytes);
  const std::size_t step = bytes.size() / kCutsMax + 1;
  for (std::size_t length = 0; length < bytes.size(); length += step) {
    run(bytes.substr(0, length));
  }
  std::mt19937 random(static_cast<std::uint32_t>(bytes.size()));
  for (int i = 0; i < kDamagedCopies; ++i) {
    run(damaged(bytes, random));
  }
}

}  // namespace

int main(int argc, char** argv) {
  int seeds = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
        replay(entry.path());
        ++seeds;
      }
    } else {
      replay(argv[i]);
      ++seeds;
    }
  }
  if (seeds == 0) {
    std::cerr << "no seed files\n";
    return 2;
  }
  return 0;
}
