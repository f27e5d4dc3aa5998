#pragma once
// No LibTorch.

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

// Colours that those who see red and green alike tell apart (Okabe and Ito 2008), and that print in black and white as
// four greys: 34, 87, 119 and 170 of 255. Marks and dashes say the same once more.
inline const char* const black = "#222222";
inline const char* const blue = "#0072b2";
inline const char* const red = "#d55e00";
inline const char* const grey = "#aaaaaa";

/// What a set is called in a picture: "all three" is no name to whoever sees the picture alone.
inline std::string title_of(const std::string& regularizers) {
  if (regularizers == "vanilla") {
    return "vanilla SGD";
  }
  return regularizers == "all three" ? "augmentation + l2 + momentum" : regularizers;
}

/// A picture: a gnuplot script and its data, left beside it. `gnuplot NAME.gp` draws NAME.png, and
/// `gnuplot -e pdf=1 NAME.gp` NAME.pdf, for a paper. Sized for the width of a page, 17.5 cm, where the letters are of 7
/// points; a PNG has 290 pixels an inch then.
class Script {
 public:
  static constexpr int page_width = 2000;  ///< pixels

  /// width, height: pixels of the PNG
  Script(const std::string& folder, const std::string& name, int width, int height) : folder_(folder), name_(name) {
    std::filesystem::create_directories(folder_);
    script_.open(folder_ + "/" + name + ".gp");
    script_ << "if (exists('pdf')) {\n"
            << "  set terminal pdfcairo size " << width / 290.0 << "in," << height / 290.0
            << "in font 'DejaVu Sans,7' fontscale 1 linewidth 0.75\n  set output '" << name << ".pdf'\n"
            << "} else {\n"
            << "  set terminal pngcairo size " << width << "," << height
            << " font 'DejaVu Sans,21' fontscale 1 linewidth 3 background 'white'\n  set output '" << name << ".png'\n"
            << "}\n"
            << "set datafile missing 'NaN'\n"
            << "set border 3 linecolor '#444444'\nset tics nomirror out textcolor '" << black << "'\n"
            << "set grid ytics linecolor '#dddddd' linetype 1 linewidth 0.5\n";
  }

  std::ostream& operator()() { return script_; }

  /// A file of numbers for the script, by name.
  [[nodiscard]] std::ofstream data(const std::string& what) const {
    return std::ofstream(folder_ + "/" + name_ + "-" + what + ".dat");
  }
  [[nodiscard]] std::string file(const std::string& what) const { return "'" + name_ + "-" + what + ".dat'"; }

 private:
  std::string folder_;
  std::string name_;
  std::ofstream script_;
};
