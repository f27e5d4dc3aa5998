#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace kit {

/// Some of an ablation's parts, by name: {"l2", "momentum"} of augmentation, l2 and momentum.
struct Subset {
  std::vector<std::string> parts{};
  std::string name{};  ///< "vanilla" for none, "all three" for all, else "l2 + momentum"

  [[nodiscard]] bool none() const { return parts.empty(); }
  [[nodiscard]] bool has(const std::string& part) const {
    return std::find(parts.begin(), parts.end(), part) != parts.end();
  }
};

/// All subsets of these parts, from none to all, in the order of their bits; or only these two. `none` and `all`: their
/// names.
inline std::vector<Subset> subsets(const std::vector<std::string>& parts, const std::string& none,
                                   const std::string& all, bool only_ends) {
  std::vector<Subset> sets;
  const std::size_t last = (std::size_t{1} << parts.size()) - 1;
  for (std::size_t bits = 0; bits <= last; bits += only_ends ? last : 1) {
    Subset& set = sets.emplace_back();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if ((bits >> i & 1U) != 0) {
        set.name += (set.parts.empty() ? "" : " + ") + parts[i];
        set.parts.push_back(parts[i]);
      }
    }
    set.name = bits == 0 ? none : bits == last ? all : set.name;
  }
  return sets;
}

}  // namespace kit
