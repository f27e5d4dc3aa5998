#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <regimen/curvature.hpp>
#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/format.hpp"
#include "settings.hpp"

/// The numbers of the picture: two minima that fit the same images, from one seed, with vanilla SGD.
struct Landscape {
  rg::Probe probe;
  rg::Snapshot good;  ///< from random weights
  rg::Snapshot bad;   ///< from random labels
  rg::Source train;
  rg::Source some;  ///< a part of the images, for curvature
  rg::Source test;

  /// Loss and accuracy on the line between them, BatchNorm's statistics estimated anew at each point: line.csv. Takes
  /// 25 points.
  void write_line(const std::string& out) const {
    const auto line = [&](const rg::Source& data, bool anew) {
      rg::Barrier barrier{.data = data, .from = good, .to = bad, .batch_norm_data = train};
      if (anew) {
        barrier.batch_norm = rg::Reestimation{};
      }
      return barrier.line(probe).points;
    };
    const auto interpolated = line(some, false), fit = line(train, true), held_out = line(test, true);
    std::ostringstream text;
    text << "t,fit_loss_interpolated,fit_loss,test_loss,fit_accuracy,test_accuracy\n";
    for (std::size_t i = 0; i < fit.size(); ++i) {
      text << fit[i].t << ',' << interpolated[i].loss << ',' << fit[i].loss << ',' << held_out[i].loss << ','
           << 100 * fit[i].accuracy << ',' << 100 * held_out[i].accuracy << '\n';
    }
    ex::write_file(out + "/line.csv", text.str());
  }

  /// The densities of both Hessians' eigenvalues, smoothed: density.csv. The bad minimum is in the model afterwards.
  void write_densities(const std::string& out) const {
    const auto spectrum = [&](const rg::Snapshot& minimum) {
      minimum.restore(probe.model);
      return rg::density(rg::Hessian(rg::LossSurface(probe.model, some, probe.how)), {.draws = 2, .steps = 40});
    };
    const rg::SpectralDensity of_good = spectrum(good), of_bad = spectrum(bad);
    double low = 0;
    double high = 0;
    for (const rg::SpectralDensity* const each : {&of_good, &of_bad}) {
      for (const auto& points : each->draws) {
        low = std::min(low, points.front().value);
        high = std::max(high, points.back().value);
      }
    }
    const double width = (high - low) / 100;
    std::ostringstream text;
    text << "eigenvalue,random,adversarial\n";
    for (int i = -8; i <= 208; ++i) {
      const double x = low + (high - low) * i / 200;
      text << x << ',' << of_good.at(x, width) << ',' << of_bad.at(x, width) << '\n';
    }
    ex::write_file(out + "/density.csv", text.str());
  }
};

/// The columns of a file of numbers with a heading line; empty if there is none.
inline std::vector<std::vector<double>> columns_in(const std::string& path) {
  const ex::CsvTable table = ex::read_csv(path);
  std::vector<std::vector<double>> columns(table.heads.size());
  for (const std::vector<std::string>& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      columns[i].push_back(std::strtod(row[i].c_str(), nullptr));  // which takes a density of 1e-320, too
    }
  }
  return columns;
}

/// Line and densities in one picture; without panels where they are not there yet.
inline rg::report::Picture landscape_picture(const WhichSettings& settings) {
  using namespace rg::report;
  const std::string& out = settings.out;
  const auto line = columns_in(out + "/line.csv");
  const auto density = columns_in(out + "/density.csv");
  if (line.size() < 6 || density.size() < 3) {
    return {};
  }
  const auto curve = [](const std::string& name, const std::vector<double>& x, const std::vector<double>& y,
                        const char* shade, Dash dash = Dash::solid) {
    Lines lines{.name = name, .x = x, .y = y};
    lines.style.colour = shade;
    lines.style.dash = dash;
    return lines;
  };
  const std::string some = std::to_string(std::min(settings.some, settings.images));
  Panel loss = line_panel(
      {curve("training images", line[0], line[2], colour::blue),
       curve("test images", line[0], line[3], colour::vermillion),
       curve(some + " training images, BatchNorm interpolated", line[0], line[1], colour::blue, Dash::dashed)},
      "loss", "random weights", "random labels");
  loss.title = "(a) loss on the line";
  Panel accuracy = line_panel({curve("training images", line[0], line[4], colour::blue),
                               curve("test images", line[0], line[5], colour::vermillion)},
                              "accuracy (%)", "random weights", "random labels");
  accuracy.title = "(b) accuracy on the line";
  accuracy.y.to = 100;
  Panel spectra = density_panel({curve("minimum from random weights", density[0], density[1], colour::green),
                                 curve("minimum from random labels", density[0], density[2], colour::black)});
  spectra.title = "(c) Hessian's spectrum";
  return {.caption = kit::format("Two minima of vanilla SGD, one seed, that fit all training images. Along the line "
                                 "BatchNorm's statistics are estimated anew, but for the dashed curve; the barrier in "
                                 "training loss is %.2f. Test: the first 2,000 images. Spectra: %s training images.",
                                 barrier_of(line[0], line[2]), some.c_str()),
          .description =
              "Loss and accuracy on the line between a good and a bad minimum, and the densities "
              "of the eigenvalues of both Hessians.",
          .panels = {loss, accuracy, spectra},
          .columns = 3,
          .width = 960};
}
