#pragma once
// No LibTorch: what tests of error messages share. Tests with tensors include it behind support/torch.hpp.

#include "support/numbers.hpp"

#include <initializer_list>
#include <string>

#include <regimen/base/error.hpp>

/// The message of the regimen::Error that `act` throws, or "no error". Other exceptions pass through and fail the test.
template <class Act>
std::string error_of(Act&& act) {
  try {
    act();
  } catch (const regimen::Error& error) {
    return error.what();
  }
  return "no error";
}

/// `act` throws a regimen::Error whose message has all these parts.
template <class Act>
void check_error(Act&& act, std::initializer_list<const char*> parts) {
  const std::string message = error_of(act);
  CAPTURE(message);
  CHECK(message != "no error");
  for (const char* const part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}
