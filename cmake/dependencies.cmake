# Every library that the project links, as imported targets.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS headers json url)
find_package(ICU 72 REQUIRED COMPONENTS uc i18n)
find_package(SQLite3 REQUIRED)
find_package(PNG REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(tesseract REQUIRED IMPORTED_TARGET tesseract lept)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

# LibTorch is the PyPI wheel as it stands, unpacked by ./dev. Its own CMake package needs an nvcc of the wheel's exact
# version, so this links its CPU libraries only; libtorch_cuda.so is opened at run time when a CUDA device is asked for.
set(GLYPHWARD_TORCH "$ENV{GLYPHWARD_TORCH}" CACHE PATH "Folder that holds the wheel's torch/ and nvidia/")
if(NOT GLYPHWARD_TORCH)
  set(GLYPHWARD_TORCH "$ENV{HOME}/.cache/glyphward/torch-2.11.0-cpu")
endif()
if(NOT EXISTS ${GLYPHWARD_TORCH}/torch/lib/libtorch_cpu.so)
  message(FATAL_ERROR "No LibTorch in '${GLYPHWARD_TORCH}': run ./dev build, or set GLYPHWARD_TORCH.")
endif()
add_library(torch_cpu SHARED IMPORTED)
set_target_properties(torch_cpu PROPERTIES IMPORTED_LOCATION ${GLYPHWARD_TORCH}/torch/lib/libtorch_cpu.so)
add_library(torch_c10 SHARED IMPORTED)
set_target_properties(torch_c10 PROPERTIES IMPORTED_LOCATION ${GLYPHWARD_TORCH}/torch/lib/libc10.so)
add_library(glyphward_torch INTERFACE)
# -idirafter: the wheel brings fmt 12 headers, which must not hide Debian's fmt 9.
target_compile_options(glyphward_torch INTERFACE
  "SHELL:-idirafter ${GLYPHWARD_TORCH}/torch/include"
  "SHELL:-idirafter ${GLYPHWARD_TORCH}/torch/include/torch/csrc/api/include"
  -Wno-pedantic -Wno-unused-parameter)
target_link_libraries(glyphward_torch INTERFACE torch_cpu torch_c10)
