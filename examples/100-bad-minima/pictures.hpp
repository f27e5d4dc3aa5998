#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "groups.hpp"
#include "settings.hpp"

/// An image of the confusion set and what it is labelled with.
struct Tile {
  int row = 0;
  int column = 0;
  int height = 0;
  int width = 0;
  std::vector<std::array<std::uint8_t, 3>> pixels{};  ///< height x width, row-major
  std::string label;
  bool wrong = false;  ///< the label is not the image's
};

/// One decision boundary of the toy.
struct Boundary2d {
  std::string title;
  std::vector<double> logits{};  ///< on the grid, row by row from below
};

/// The toy's pictures share a grid and the training points.
struct ToyPicture {
  int columns = 0;
  int rows = 0;
  double left = 0, right = 0, bottom = 0, top = 0;
  std::vector<std::array<double, 3>> points{};  ///< x, y, class
  std::vector<Boundary2d> boundaries{};
};

/// A group's fit, clean and test accuracy over the epochs of the first seed, phases marked: pictures/NAME.png. Nothing
/// where that seed is not complete.
void draw_curves(const Results& results, const Group& group, const std::string& name, const Settings& settings);

/// Test accuracy from both starts and, if the random labels were fitted, the holes, with intervals: pictures/NAME.png.
void draw_holes(const Group& group, const std::string& name, const Settings& settings);

/// Images of the confusion set with their labels, the undamaged ones above: pictures/confusion-set.png.
void draw_tiles(const std::vector<Tile>& tiles, const Settings& settings);

/// The toy's decision boundaries side by side: pictures/boundaries.png.
void draw_boundaries(const ToyPicture& picture, const Settings& settings);

/// Draws all that was prepared, if gnuplot is there; otherwise says how to get the pictures.
void finish_pictures(const Settings& settings);
