#pragma once

#include <map>
#include <string>
#include <vector>

#include "data.hpp"
#include "plan.hpp"
#include "settings.hpp"

/// How fast this machine goes with a network, in images a second.
struct Pace {
  double training = 0;
  double scoring = 0;
};

using Paces = std::map<std::string, Pace>;  ///< by model

/// Trains each model for some seconds, without a trace.
Paces measure_paces(const Settings& settings, const Images& images);

/// Seconds that a unit takes if it needs all its epochs, its scorings included.
double seconds_of(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces);

/// The same of several units, one after another.
double seconds_of(const std::vector<Unit>& units, const Settings& settings, const Images& images, const Paces& paces);

/// "9 min 20 s", "3.1 days"
std::string duration(double seconds);

/// The factor by which the recipe must be shortened so that all units take at most `seconds`, in (0, 1]. Throws
/// regimen::Error where not even one epoch of each phase fits.
double budget_factor(const Settings& settings, double seconds, const Images& images, const Paces& paces);

/// What became of the recipe's numbers, in words.
std::string shortened_by(double factor, const Recipe& whole);
