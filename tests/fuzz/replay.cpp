// The kept inputs once more, with any compiler and without libFuzzer:
//
//     fuzz-replay <target> <folder>...        fails unless some are read, some are refused, and none is anything else
//     fuzz-replay write-checkpoints <folder>  seeds of the target `checkpoint`; see make_corpus.py

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "target.hpp"

namespace {

std::vector<std::filesystem::path> files_in(int count, char** folders) {
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < count; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folders[i])) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s <target> <folder>...\n", argv[0]);
    return 2;
  }
  if (std::string(argv[1]) == "write-checkpoints") {
    fuzz::write_checkpoints(argv[2]);
    return 0;
  }
  const fuzz::Target& target = fuzz::target_of(argv[1]);
  const auto files = files_in(argc - 2, argv + 2);
  fuzz::warm_up();
  for (const auto& file : files) {
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);  // the last line is the one that ended the program
    target.run(bytes_of(file));
  }
  const auto [read, refused] = fuzz::tally;
  std::printf("%s: %zu files, %lld read, %lld refused\n", argv[1], files.size(), static_cast<long long>(read),
              static_cast<long long>(refused));
  return read > 0 && refused > 0 ? 0 : 1;
}
