#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <regimen/base/json.hpp>
#include <regimen/experiment/files.hpp>
#include <regimen/report/html.hpp>
#include <regimen/report/picture.hpp>
#include <regimen/report/table.hpp>

#include "claims.hpp"
#include "pictures.hpp"

namespace kit {

/// What a program shows of its results, section by section: OUT/report.html. Pictures are files of their own, too.
class Page {
 public:
  Page(std::string out, std::string title) : out_(std::move(out)) { page_.title = std::move(title); }

  /// Adds to the answer, which stands first; a paragraph a line.
  void say(const std::string& text) { page_.text += text + "\n"; }

  /// Begins a section. The reference holds until the next one begins.
  regimen::report::HtmlSection& section(const std::string& heading, const std::string& text = "") {
    page_.sections.push_back({.heading = heading, .text = text});
    return page_.sections.back();
  }

  /// Adds a section with a table.
  void add(const regimen::report::Table& table, const std::string& heading) {
    section(heading).tables.push_back(table);
  }

  /// Adds a section with a picture, and writes it as OUT/pictures/NAME.svg.
  void draw(const regimen::report::Picture& picture, const std::string& name, const std::string& heading) {
    write_picture(picture, name, out_);
    section(heading).pictures.push_back(picture);
  }

  /// Adds a section with a picture that was written before, OUT/pictures/NAME.svg or OUT/NAME.svg, if it is there.
  /// `text`: what it shows, for those who do not see it.
  void show_file(const std::string& name, const std::string& heading, const std::string& text) {
    for (const std::string& folder : {out_ + "/pictures/", out_ + "/"}) {
      if (std::filesystem::exists(folder + name + ".svg")) {
        section(heading).images.push_back({regimen::experiment::read_file(folder + name + ".svg"), text});
        return;
      }
    }
  }

  /// Adds what came of a program's statements.
  void add(const Claims& claims) {
    if (claims.all() > 0) {
      section("Does it come out?").tables.push_back(claims.table());
    }
  }

  /// Writes the file, with the settings and the manifest of a training at its end. Tables of pictures' numbers become
  /// shorter, and then the largest section gives way, until the file is no larger than its bound.
  void write() {
    add_manifest();
    const std::size_t bound = std::exchange(page_.most_bytes, static_cast<std::size_t>(-1));
    std::string text = regimen::report::html(page_);
    while (text.size() > bound) {
      if (page_.most_rows > 10) {
        page_.most_rows = 10;
      } else if (!give_way()) {
        break;  // nothing is left but the answer
      }
      text = regimen::report::html(page_);
    }
    regimen::experiment::write_file(out_ + "/report.html", text);
  }

 private:
  /// Leaves out the largest section; false if that was done before.
  bool give_way() {
    if (page_.sections.empty()) {
      return false;
    }
    const std::vector<std::size_t> bytes = regimen::report::section_bytes(page_);
    const auto largest = static_cast<std::size_t>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
    regimen::report::HtmlSection& section = page_.sections[largest];
    const std::string instead = "Left out, for the page would be too large: see the files of the results folder.";
    const bool is_new = section.text != instead;
    section = {.heading = section.heading, .text = instead};
    return is_new;
  }

  /// manifest.json is {"settings": ..., "jobs": {"NAME": ..., ...}} (`regimen::experiment::write_manifest`).
  void add_manifest() {
    const std::string manifest = regimen::experiment::read_file(out_ + "/manifest.json");
    const std::string begin = "{\"settings\": ";
    const std::string middle = ",\n \"jobs\": {\n  \"";
    const std::size_t end = manifest.find(middle);
    if (!manifest.starts_with(begin) || end == std::string::npos) {
      return;
    }
    const std::string settings = manifest.substr(begin.size(), end - begin.size());
    const std::size_t name = end + middle.size();
    const std::string job = manifest.substr(name, manifest.find('"', name) - name);
    regimen::report::HtmlSection& last =
        section("What was run", "The settings, and the manifest of one training. manifest.json has those of all.");
    const std::string of_job = regimen::experiment::read_file(out_ + "/manifests/" + job + ".json");
    last.codes = {{"Settings", regimen::detail::json::indented(settings)},
                  {job, regimen::detail::json::indented(of_job)}};
  }

  std::string out_;
  regimen::report::HtmlReport page_{};
};

}  // namespace kit
