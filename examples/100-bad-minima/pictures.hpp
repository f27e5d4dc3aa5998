#pragma once
// No LibTorch.

#include <array>
#include <string>
#include <vector>

#include <regimen/report/picture.hpp>

#include "groups.hpp"
#include "settings.hpp"

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

/// A group's fit, clean and test accuracy over the epochs of the first seed, phases marked: pictures/NAME.svg. Nothing
/// where that seed is not complete.
void draw_curves(const Results& results, const Group& group, const std::string& name, const Settings& settings);

/// Test accuracy from both starts and, if the random labels were fitted, the holes, with intervals: pictures/NAME.svg.
void draw_holes(const Group& group, const std::string& name, const Settings& settings);

/// Images of the confusion set with their labels, the undamaged ones above: pictures/confusion-set.svg.
void draw_tiles(const regimen::report::Tiles& tiles, const Settings& settings);

/// The toy's decision boundaries side by side: pictures/boundaries.svg.
void draw_boundaries(const ToyPicture& picture, const Settings& settings);

/// Says where the pictures are, if there are any.
void finish_pictures(const Settings& settings);

/// Writes pictures/NAME.svg.
void write_picture(const regimen::report::Picture& picture, const std::string& name, const Settings& settings);

/// What a set is called in a picture: "all three" is no name to whoever sees the picture alone.
std::string title_of(const std::string& regularizers);
