#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <cstdio>
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
#include "json_members.hpp"
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
  /// shorter, and then the largest section gives way, until the file is no larger than its bound; a line on standard
  /// error says so.
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
    if (is_new) {
      std::fprintf(stderr,
                   "%s/report.html: the section \"%s\" of %zu bytes is left out, for the page would be too large\n",
                   out_.c_str(), section.heading.c_str(), bytes[largest]);
    }
    section = {.heading = section.heading, .text = instead};
    return is_new;
  }

  /// What made the results: where and when, if the folder says so in measured.txt; the settings, and the manifest of
  /// one training, of manifest.json, {"settings": ..., "jobs": {"NAME": ..., ...}}.
  void add_manifest() {
    using regimen::experiment::read_file;
    regimen::report::HtmlSection last{.heading = "What was run", .text = read_file(out_ + "/measured.txt")};
    if (const std::string from = read_file(out_ + "/shown-again.txt"); !from.empty()) {
      last.text += "\nNothing was trained for this page: it shows the tables of " + from.substr(0, from.find('\n')) +
                   ", whose numbers have four decimals.";
    }
    for (const auto& [name, value] : json_members(read_file(out_ + "/manifest.json"))) {
      if (name == "settings") {
        last.codes.push_back({"Settings", regimen::detail::json::indented(value)});
      } else if (const auto jobs = json_members(value); name == "jobs" && !jobs.empty()) {
        last.text += "\nBelow are the settings, and the manifest of one training. manifest.json has those of all.";
        last.codes.push_back({jobs.front().first, regimen::detail::json::indented(jobs.front().second)});
      }
    }
    if (!last.text.empty() || !last.codes.empty()) {
      page_.sections.push_back(last);
    }
  }

  std::string out_;
  regimen::report::HtmlReport page_{};
};

}  // namespace kit
