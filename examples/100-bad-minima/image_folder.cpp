#include "image_folder.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>
#include <utility>

#include <regimen/base/error.hpp>
#include <regimen/base/manifest.hpp>

#include "image_file.hpp"

namespace fs = std::filesystem;
namespace rg = regimen;

namespace {

/// What is in a folder, by sorted names: its folders, or its files. Hidden ones are none.
std::vector<std::string> names_in(const fs::path& folder, bool folders) {
  std::error_code failure;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.front() != '.' && (folders ? entry->is_directory(ignored) : entry->is_regular_file(ignored))) {
      names.push_back(name);
    }
  }
  if (failure) {
    throw rg::Error("cannot read the folder " + folder.string() + ": " + failure.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_image(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// Each of these names as a class with the folder of its name.
std::vector<ImageClass> classes_of(const std::vector<std::string>& names) {
  std::vector<ImageClass> classes;
  for (const std::string& name : names) {
    classes.push_back({name, {name}});
  }
  return classes;
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root, ImageSize size)
    : ImageFolder(root, classes_of(names_in(root, /*folders=*/true)), size) {}

ImageFolder::ImageFolder(const std::string& root, const std::vector<ImageClass>& classes, ImageSize size)
    : root_(root), size_(size) {
  require_image_decoder();
  rg::detail::require(size.side >= 1, "ImageSize.side", "at least 1", size.side);
  std::vector<std::pair<std::string, std::int64_t>> folders;
  for (const ImageClass& one : classes) {
    for (const std::string& folder : one.folders) {
      folders.emplace_back(folder, static_cast<std::int64_t>(names_.size()));
    }
    names_.push_back(one.name);
  }
  if (folders.empty()) {
    throw rg::Error(root + " has no class folders: the images of a class are in a folder of its name");
  }
  std::sort(folders.begin(), folders.end());

  std::vector<File> files;
  for (const auto& [folder, target] : folders) {
    const fs::path path = fs::path(root) / folder;
    const std::size_t before = files.size();
    for (const std::string& name : names_in(path, /*folders=*/false)) {
      if (is_image(name)) {
        files.push_back({(path / name).string(), target});
      }
    }
    if (files.size() == before) {
      throw rg::Error("the class folder " + path.string() + " has no images: no *.png, *.jpg or *.jpeg");
    }
  }
  files_ = std::make_shared<const std::vector<File>>(std::move(files));
}

rg::Batch ImageFolder::get(const torch::Tensor& index) const {
  const torch::Tensor places = index.contiguous();
  const std::int64_t n = places.size(0);
  const auto* const place = places.data_ptr<std::int64_t>();
  rg::Batch batch{.data = torch::empty({n, 3, size_.side, size_.side}, torch::kByte),
                  .target = torch::empty({n}, torch::kLong),
                  .id = places};
  for (std::int64_t i = 0; i < n; ++i) {
    if (place[i] < 0 || place[i] >= size()) {
      rg::detail::require(false, "ImageFolder: a place", "in [0, " + rg::detail::text(size()) + ")", place[i]);
    }
  }
  at::parallel_for(0, n, /*grain=*/1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const File& file = (*files_)[static_cast<std::size_t>(place[i])];
      read_into(batch.data[i], file.path);
      batch.target.data_ptr<std::int64_t>()[i] = file.target;
    }
  });
  return batch;
}

void ImageFolder::read_into(torch::Tensor to, const std::string& path) const {
  const torch::Tensor image = read_image(path);
  if (size_.exact && (image.size(1) != size_.side || image.size(2) != size_.side)) {
    const auto size = [](std::int64_t width, std::int64_t height) {
      return rg::detail::text(width) + " x " + rg::detail::text(height);
    };
    rg::detail::require(false, path + ": the size", size(size_.side, size_.side) + " pixels",
                        size(image.size(2), image.size(1)));
  }
  try {
    to.copy_(fit_image(image, size_.side));
  } catch (const rg::Error& error) {
    throw rg::Error(path + ": " + error.what());
  }
}

std::string ImageFolder::manifest() const {
  return rg::detail::json::Object()
      .add("type", "\"ImageFolder\"")
      .add("root", rg::manifest(root_))
      .add("size", rg::manifest(size_))
      .add("classes", rg::manifest(names_))
      .add("samples", rg::detail::text(size()))
      .text();
}

Cinic10 cinic10(const std::string& root) {
  const auto part = [&](const char* name) {
    static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                                "dog",      "frog",       "horse", "ship", "truck"};
    return ImageFolder((fs::path(root) / name).string(), classes_of(names), {.side = 32, .exact = true});
  };
  return {part("train"), part("valid"), part("test")};
}

RestrictedImageNet restricted_imagenet(const std::string& root, std::int64_t side) {
  struct Range {
    std::string name;
    std::size_t first, last;
  };
  // As the authors' package `robustness` has them (RESTRICTED_IMAGNET_RANGES); both ends belong to the group.
  static const std::vector<Range> groups{{"dog", 151, 268},  {"cat", 281, 285},  {"frog", 30, 32},
                                         {"turtle", 33, 37}, {"bird", 80, 100},  {"primate", 365, 382},
                                         {"fish", 389, 397}, {"crab", 118, 121}, {"insect", 300, 319}};
  const auto part = [&](const char* name) {
    const std::string path = (fs::path(root) / name).string();
    const std::vector<std::string> folders = names_in(path, /*folders=*/true);
    const bool arranged = std::all_of(groups.begin(), groups.end(), [&](const Range& group) {
      return std::binary_search(folders.begin(), folders.end(), group.name);
    });
    if (!arranged && folders.size() != 1000) {
      rg::detail::require(
          false, path + ": its class folders",
          "the 1000 of ImageNet, or the nine groups (dog, cat, frog, turtle, bird, primate, fish, crab, "
          "insect)",
          rg::detail::text(folders.size()) + " others");
    }
    std::vector<ImageClass> classes;
    for (const Range& group : groups) {
      ImageClass& one = classes.emplace_back(ImageClass{group.name, {}});
      if (arranged) {
        one.folders = {group.name};
      } else {
        const auto at = [&](std::size_t index) { return folders.begin() + static_cast<std::ptrdiff_t>(index); };
        one.folders.assign(at(group.first), at(group.last + 1));
      }
    }
    return ImageFolder(path, classes, {.side = side});
  };
  return {part("train"), part("val")};
}
