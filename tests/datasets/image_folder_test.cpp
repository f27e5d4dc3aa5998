// Folders of images as a source; CINIC-10 and Restricted ImageNet.

#include "support/images.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <regimen/datasets/image_sets.hpp>
#include <regimen/regimen.hpp>

using regimen::Cinic10;
using regimen::cinic10;
using regimen::ImageClass;
using regimen::ImageFolder;
using regimen::restricted_imagenet;
using regimen::RestrictedImageNet;

namespace {

namespace fs = std::filesystem;
namespace rg = regimen;

/// Three classes with 3, 1 and 2 images of 6 x 6, which begin with 10 times their id.
void write_photos(const Folder& folder) {
  folder.write("ant/1.png", png(rough(6, 6, 3, 0)));
  folder.write("ant/10.PNG", png(rough(6, 6, 3, 10)));
  folder.write("ant/2.Png", png(rough(6, 6, 3, 20)));
  folder.write("bee/a.png", png(rough(6, 6, 3, 30)));
  folder.write("cat/a.JPEG", png(rough(6, 6, 3, 40)));
  folder.write("cat/b.jpg", png(rough(6, 6, 3, 50)));
}

/// What is in them, in the order of the paths.
rg::Batch photos() {
  std::vector<at::Tensor> images;
  for (int id = 0; id < 6; ++id) {
    images.push_back(rough(6, 6, 3, 10 * id));
  }
  return {.data = at::stack(images), .target = longs({0, 0, 0, 1, 2, 2}), .id = at::arange(6, at::kLong)};
}

/// All batches of an epoch, as one.
rg::Batch whole(const rg::Source& source, const rg::Order& order) {
  std::vector<at::Tensor> data;
  std::vector<at::Tensor> target;
  std::vector<at::Tensor> id;
  const rg::Cursor next = source.read(order);
  for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
    CHECK(batch.size() <= order.batch);
    data.push_back(batch.data);
    target.push_back(batch.target);
    id.push_back(batch.id);
  }
  return {.data = at::cat(data), .target = at::cat(target), .id = at::cat(id)};
}

/// So many threads for LibTorch, as long as this is there.
class Threads {
 public:
  explicit Threads(int n) { at::set_num_threads(n); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

/// Python, only to read JSON: the library writes it and reads none.
bool have_python() {
  return std::system("python3 -c 'import json' > /dev/null 2>&1") == 0;
}

/// True if python3 thinks that the file is JSON, and that the expression over it, `j`, holds.
bool python_says(const std::string& path, const std::string& expression) {
  const std::string command =
      "python3 -c \"import json; j = json.load(open('" + path + "')); assert " + expression + "\"";
  return std::system(command.c_str()) == 0;
}

const std::vector<std::string> cinic10_names{"airplane", "automobile", "bird",  "cat",  "deer",
                                             "dog",      "frog",       "horse", "ship", "truck"};

/// CINIC-10 with two images a class, which begin with 10 times the class, and 10 times and 1.
void write_cinic10(const Folder& folder) {
  for (const char* const part : {"train", "valid", "test"}) {
    for (std::size_t label = 0; label < cinic10_names.size(); ++label) {
      const std::string path = std::string(part) + "/" + cinic10_names[label];
      const auto first = static_cast<std::int64_t>(10 * label);
      folder.write(path + "/cifar10-" + part + "-1.png", png(rough(32, 32, 3, first)));
      folder.write(path + "/n01-1.png", png(rough(32, 32, 3, first + 1)));
    }
  }
}

/// A group of Restricted ImageNet: ImageNet's classes `first` to `last`, as table 1 of Tsipras and others has them.
struct Group {
  std::string name;
  int first;
  int last;
};

const std::vector<Group> groups{{"dog", 151, 268},  {"cat", 281, 285},  {"frog", 30, 32},
                                {"turtle", 33, 37}, {"bird", 80, 100},  {"primate", 365, 382},
                                {"fish", 389, 397}, {"crab", 118, 121}, {"insect", 300, 319}};

const std::vector<std::string> group_names{"dog", "cat", "frog", "turtle", "bird", "primate", "fish", "crab", "insect"};

/// ImageNet with an image a class, of one pixel. In the groups its red and green are the class index, divided by 256
/// and the remainder; the others are links to one folder, which are made and removed sooner, and their pixel is blue.
void write_imagenet(const Folder& folder, const std::string& part) {
  const auto pixel = [](int red, int green, int blue) {
    return png(at::tensor({red, green, blue}, at::kByte).view({3, 1, 1}));
  };
  folder.write("others/1.JPEG", pixel(0, 0, 255));
  for (int index = 0; index < 1000; ++index) {
    char name[16];
    std::snprintf(name, sizeof name, "n%08d", 1440764 + 7919 * index);
    const bool grouped = std::any_of(groups.begin(), groups.end(),
                                     [&](const Group& group) { return group.first <= index && index <= group.last; });
    if (grouped) {
      folder.write(part + "/" + name + "/" + name + "_1.JPEG", pixel(index / 256, index % 256, 0));
    } else {
      fs::create_directories(folder / part);
      fs::create_directory_symlink(folder / "others", folder / (part + "/" + name));
    }
  }
}

/// The nine groups, with one image of 3 x 3 each, which is as bright as its group says.
void write_groups(const Folder& folder, const std::string& part) {
  for (std::size_t i = 0; i < group_names.size(); ++i) {
    const at::Tensor image = at::full({3, 3, 3}, static_cast<std::int64_t>(10 * i), at::kByte);
    folder.write(part + "/" + group_names[i] + "/1.png", png(image));
  }
}

}  // namespace

TEST_CASE("image folder: classes are the sorted folders, ids go by the paths, and pixels arrive") {
  const Folder folder;
  write_photos(folder);
  for (const bool exact : {false, true}) {
    const ImageFolder read(folder / "", {.side = 6, .exact = exact});
    CHECK(read.size() == 6);
    CHECK(read.names() == std::vector<std::string>{"ant", "bee", "cat"});
    const rg::Batch all = read.all();
    CHECK(all.data.sizes() == at::IntArrayRef({6, 3, 6, 6}));
    CHECK(same(all, photos()));
  }
}

TEST_CASE("image folder: what is hidden, is no image or lies elsewhere is left alone") {
  const Folder folder;
  write_photos(folder);
  folder.write("ant/.hidden.png", "");
  folder.write("ant/._1.png", "");
  folder.write("ant/notes.txt", "");
  folder.write("ant/png", "");
  folder.write("ant/1.png.part", "");
  folder.write("ant/deeper/1.png", "");
  folder.write("ant/folder.png/1.png", "");
  folder.write(".hidden/1.png", "");
  folder.write("0.png", "");
  folder.write("README.md", "");
  CHECK(same(ImageFolder(folder / "", {.side = 6}).all(), photos()));
}

TEST_CASE("image folder: links to images and to folders are followed") {
  const Folder folder;
  write_photos(folder);
  const Folder links;
  fs::create_directory_symlink(folder / "ant", links / "ant");
  fs::create_directory(links / "bee");
  fs::create_symlink(folder / "bee/a.png", links / "bee/b.png");
  fs::create_symlink(folder / "absent.png", links / "bee/c.png");
  const rg::Batch all = ImageFolder(links / "", {.side = 6}).all();
  CHECK(same(all, rg::slice(photos(), 0, 4)));
}

TEST_CASE("image folder: images are brought to the side, where it need not be exact") {
  const Folder folder;
  const at::Tensor high = rough(9, 4);
  const at::Tensor wide = rough(4, 10);
  const at::Tensor grey = at::full({1, 7, 8}, 99, at::kByte);
  folder.write("one/a.png", png(high));
  folder.write("one/b.png", png(wide));
  folder.write("one/c.png", png(grey));
  folder.write("one/d.png", jpeg(grey));
  const ImageFolder read(folder / "", {.side = 4});
  const rg::Batch all = read.all();
  CHECK(all.data.sizes() == at::IntArrayRef({4, 3, 4, 4}));
  CHECK(same(all.data[0], high.narrow(1, 2, 4)));
  CHECK(same(all.data[1], wide.narrow(2, 3, 4)));
  CHECK(same(all.data[2], at::full({3, 4, 4}, 99, at::kByte)));
  CHECK(furthest(all.data[3], all.data[2]) <= 1);
  CHECK(ImageFolder(folder / "", {}).all().data.sizes() == at::IntArrayRef({4, 3, 64, 64}));
}

TEST_CASE("image folder: chosen classes have the targets of their order, and ids go by the paths all the same") {
  const Folder folder;
  write_photos(folder);
  const ImageFolder read(folder / "", {{"flies", {"bee"}}, {"walks", {"cat", "ant"}}}, {.side = 6});
  CHECK(read.names() == std::vector<std::string>{"flies", "walks"});
  rg::Batch expected = photos();
  expected.target = longs({1, 1, 1, 0, 1, 1});
  CHECK(same(read.all(), expected));
  const ImageFolder one(folder / "", {{"cat", {"cat"}}}, {.side = 6});
  CHECK(one.all().target.equal(longs({0, 0})));
  CHECK(same(one.all().data, photos().data.narrow(0, 4, 2)));
}

TEST_CASE("image folder: any rows can be had, in the order in which they are asked for") {
  const Folder folder;
  write_photos(folder);
  const ImageFolder read(folder / "", {.side = 6});
  const at::Tensor index = longs({5, 0, 5, 3});
  CHECK(same(read.get(index), rg::rows(photos(), index)));
  const at::Tensor spread = longs({4, 9, 1, 9}).view({2, 2}).select(1, 0);
  REQUIRE_FALSE(spread.is_contiguous());
  CHECK(same(read.get(spread), rg::rows(photos(), longs({4, 1}))));
  CHECK(read.get(longs({})).data.sizes() == at::IntArrayRef({0, 3, 6, 6}));
  check_error([&] { (void)read.get(longs({0, 6})); }, {"a place", "in [0, 6)", "is 6"});
  check_error([&] { (void)read.get(longs({-1})); }, {"a place", "in [0, 6)", "is -1"});
}

TEST_CASE("image folder: the images do not depend on the number of threads, and an Error comes out of each") {
  const Folder folder;
  write_photos(folder);
  const ImageFolder read(folder / "", {.side = 4});
  const rg::Batch alone = read.all();
  const Threads three(3);
  CHECK(same(read.all(), alone));
  folder.write("cat/b.jpg", "damaged");
  check_error([&] { (void)read.all(); }, {(folder / "cat/b.jpg").c_str(), "neither a PNG nor a JPEG file"});
}

TEST_CASE("image folder: as a source it is read in batches, and shuffled with its targets") {
  const Folder folder;
  write_photos(folder);
  const rg::Source source = ImageFolder(folder / "", {.side = 6});
  CHECK(source.indexed());
  CHECK(source.size() == 6);
  CHECK(source.traits().stable_ids);
  CHECK(same(whole(source, {.batch = 4}), photos()));

  std::vector<at::Tensor> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    CAPTURE(epoch);
    const rg::Order order{.batch = 4, .shuffle = true, .seed = 7, .now = {.clock = {.epoch = epoch}}};
    const rg::Batch shuffled = whole(source, order);
    CHECK(std::get<0>(shuffled.id.sort()).equal(at::arange(6, at::kLong)));
    CHECK(same(shuffled, rg::rows(photos(), shuffled.id)));
    CHECK(same(shuffled, whole(photos(), order)));  // the order of any other source
    orders.push_back(shuffled.id);
  }
  CHECK_FALSE((orders[0].equal(orders[1]) && orders[1].equal(orders[2])));
}

TEST_CASE("image folder: it is decoded at each reading, and once where it is cached") {
  const Folder folder;
  write_photos(folder);
  const rg::Source source = ImageFolder(folder / "", {.side = 6});
  const rg::Source cached = rg::cached(source);
  CHECK(same(whole(cached, {.batch = 4}), photos()));

  folder.write("bee/a.png", png(rough(6, 6, 3, 5)));
  CHECK(same(source.get(longs({3})).data[0], rough(6, 6, 3, 5)));
  fs::remove(folder / "bee/a.png");
  check_error([&] { (void)source.get(longs({3})); }, {(folder / "bee/a.png").c_str(), "No such file"});
  CHECK(same(whole(cached, {.batch = 4}), photos()));
}

TEST_CASE("image folder: its manifest is JSON, with the root and the number of images") {
  const Folder folder;
  write_photos(folder);
  folder.write("a \"class\"/1.png", png(rough(6, 6)));
  const std::string root = folder / "";
  const ImageFolder read(root, {.side = 6, .exact = true});
  CHECK(read.manifest().find("\"root\": \"" + root + "\"") != std::string::npos);
  CHECK(read.manifest().find("\"samples\": 7") != std::string::npos);
  CHECK(rg::Source(read).manifest() == read.manifest());

  if (!have_python()) {
    WARN("not checked: that the manifest is JSON, for there is no python3");
    return;
  }
  const std::string path = folder.write("manifest.json", read.manifest());
  CHECK(python_says(path, "j['type'] == 'ImageFolder'"));
  CHECK(python_says(path, "j['root'] == '" + root + "'"));
  CHECK(python_says(path, "j['samples'] == 7"));
  CHECK(python_says(path, "j['size']['side'] == 6 and j['size']['exact'] is True"));
  CHECK(python_says(path, "j['classes'] == ['a \\\"class\\\"', 'ant', 'bee', 'cat']"));
  const std::string cached = folder.write("cached.json", rg::cached(read).manifest());
  CHECK(python_says(cached, "j['of']['samples'] == 7"));
}

TEST_CASE("image folder: a root that cannot be is an Error that names it") {
  const Folder folder;
  const auto check = [](const std::string& root, std::initializer_list<const char*> parts) {
    const auto read = [&] { (void)ImageFolder(root, {.side = 6}); };
    check_error(read, parts);
    check_error(read, {root.c_str()});
  };
  check(folder / "absent", {"cannot read the folder", "No such file"});
  check(folder.write("file", ""), {"cannot read the folder", "Not a directory"});
  folder.write("loose/1.png", png(rough(6, 6)));
  folder.write("loose/.hidden/1.png", png(rough(6, 6)));
  check(folder / "loose", {"no class folders"});

  folder.write("photos/ant/1.png", png(rough(6, 6)));
  folder.write("photos/bee/1.gif", "GIF89a");
  folder.write("photos/bee/.1.png", png(rough(6, 6)));
  const std::string empty = folder / "photos/bee";
  check_error([&] { (void)ImageFolder(folder / "photos", {.side = 6}); }, {empty.c_str(), "no images", "*.png"});
  const std::string absent = folder / "photos/cat";
  check_error([&] { (void)ImageFolder(folder / "photos", {{"cat", {"cat"}}}, {.side = 6}); },
              {absent.c_str(), "No such file"});
  check_error([&] { (void)ImageFolder(folder / "photos", std::vector<ImageClass>{}, {.side = 6}); },
              {"no class folders"});
  check_error([&] { (void)ImageFolder(folder / "photos", {{"ant", {"ant"}}}, {.side = 0}); },
              {"ImageSize.side", "at least 1", "is 0"});
}

TEST_CASE("image folder: a file that cannot be used is an Error that names it, where it is read") {
  const Folder folder;
  write_photos(folder);
  const std::string path = folder / "bee/a.png";
  const auto check = [&](const Bytes& bytes, bool exact, std::initializer_list<const char*> parts) {
    folder.write("bee/a.png", bytes);
    const ImageFolder read(folder / "", {.side = 6, .exact = exact});
    CHECK_NOTHROW(read.get(longs({0, 1, 2, 4, 5})));
    check_error([&] { (void)read.all(); }, parts);
    check_error([&] { (void)read.get(longs({3})); }, {path.c_str()});
  };
  for (const bool exact : {false, true}) {
    CAPTURE(exact);
    check("This is not an image.\n", exact, {"neither a PNG nor a JPEG file"});
    check("", exact, {"it is empty"});
    check(png(rough(6, 6)).substr(0, 60), exact, {"cannot be decoded"});
    check(jpeg(smooth(6, 6)).substr(0, 200), exact, {"cannot be decoded"});
    check(png_without_pixels(20'000, 20'000), exact, {"number of pixels", "is 400000000"});
  }
  check(png(rough(6, 7)), true, {"the size", "6 x 6 pixels", "is 7 x 6"});
  check(png(rough(5, 6)), true, {"the size", "6 x 6 pixels", "is 6 x 5"});

  folder.write("bee/a.png", png(at::zeros({3, 1, 1'000'000}, at::kByte)));
  const ImageFolder larger(folder / "", {.side = 64});
  check_error([&] { (void)larger.all(); }, {path.c_str(), "number of pixels", "at most 100000000", "is 4096000000"});
}

TEST_CASE("CINIC-10: three parts with the targets of CIFAR-10") {
  const Folder folder;
  write_cinic10(folder);
  folder.write("train/zebra/1.png", png(rough(32, 32)));  // not one of the ten
  const auto [train, validation, test] = cinic10(folder / "");
  for (const ImageFolder& part : {train, validation, test}) {
    CHECK(part.names() == cinic10_names);
    const rg::Batch all = part.all();
    REQUIRE(all.data.sizes() == at::IntArrayRef({20, 3, 32, 32}));
    CHECK(all.target.equal(at::arange(20, at::kLong).div(2, "floor")));
    CHECK(all.id.equal(at::arange(20, at::kLong)));
    const at::Tensor first = all.data.select(1, 0).select(1, 0).select(1, 0).to(at::kLong);
    CHECK(first.equal(all.target * 10 + at::arange(20, at::kLong).remainder(2)));
    CHECK(same(all.data[19], rough(32, 32, 3, 91)));
  }
  CHECK(train.manifest().find(folder / "train") != std::string::npos);
  CHECK(validation.manifest().find(folder / "valid") != std::string::npos);
  CHECK(test.manifest().find(folder / "test") != std::string::npos);
}

TEST_CASE("CINIC-10: images of another size, and folders that are not there, are Errors that name them") {
  const Folder folder;
  write_cinic10(folder);
  const std::string small = folder.write("valid/frog/n01-1.png", png(rough(31, 32)));
  const Cinic10 read = cinic10(folder / "");
  check_error([&] { (void)read.validation.all(); }, {small.c_str(), "32 x 32 pixels", "is 32 x 31"});
  CHECK_NOTHROW(read.train.all());

  const std::string ship = folder / "test/ship";
  fs::remove_all(ship);
  check_error([&] { (void)cinic10(folder / ""); }, {ship.c_str(), "No such file"});
  fs::create_directory(ship);
  check_error([&] { (void)cinic10(folder / ""); }, {ship.c_str(), "no images"});
  const std::string absent = folder / "absent";
  check_error([&] { (void)cinic10(absent); }, {absent.c_str(), "No such file"});
}

TEST_CASE("Restricted ImageNet: nine groups of the thousand sorted folders") {
  const Folder folder;
  write_imagenet(folder, "train");
  write_groups(folder, "val");
  const RestrictedImageNet data = restricted_imagenet(folder / "", 1);
  CHECK(data.train.names() == group_names);
  REQUIRE(data.train.size() == 203);

  const rg::Batch all = data.train.all();
  CHECK(all.id.equal(at::arange(203, at::kLong)));
  const at::Tensor pixels = all.data.view({203, 3}).to(at::kLong);
  CHECK(pixels.select(1, 2).sum().item<std::int64_t>() == 0);
  const at::Tensor index = pixels.select(1, 0) * 256 + pixels.select(1, 1);
  CHECK(index.equal(std::get<0>(index.sort())));  // by the paths, so a group's images need not follow one another
  for (std::size_t i = 0; i < groups.size(); ++i) {
    CAPTURE(groups[i].name);
    const at::Tensor classes = index.masked_select(all.target == static_cast<std::int64_t>(i));
    CHECK(classes.equal(at::arange(groups[i].first, groups[i].last + 1, at::kLong)));
  }

  // With one more, the places in the sorted order say nothing.
  fs::create_directory(folder / "train/n99999999");
  const std::string train = folder / "train";
  check_error([&] { (void)restricted_imagenet(folder / ""); },
              {train.c_str(), "the 1000 of ImageNet", "is 1001 others"});
}

TEST_CASE("Restricted ImageNet: nine folders of the groups' names") {
  const Folder folder;
  write_groups(folder, "train");
  write_groups(folder, "val");
  folder.write("train/others/1.png", "");  // not one of the nine
  const RestrictedImageNet data = restricted_imagenet(folder / "", 2);
  for (const ImageFolder& part : {data.train, data.test}) {
    CHECK(part.names() == group_names);
    const rg::Batch all = part.all();
    CHECK(all.data.sizes() == at::IntArrayRef({9, 3, 2, 2}));
    CHECK(all.target.equal(longs({4, 1, 7, 0, 6, 2, 8, 5, 3})));  // bird, cat, crab, dog, fish, frog, ...
    CHECK(all.data.select(1, 0).select(1, 0).select(1, 0).to(at::kLong).equal(all.target * 10));
  }
  CHECK(restricted_imagenet(folder / "").test.all().data.sizes() == at::IntArrayRef({9, 3, 64, 64}));
  CHECK(data.train.manifest().find(folder / "train") != std::string::npos);
  CHECK(data.test.manifest().find(folder / "val") != std::string::npos);
}

TEST_CASE("Restricted ImageNet: folders that are neither are an Error that names them") {
  const Folder folder;
  const std::string absent = folder / "absent";
  check_error([&] { (void)restricted_imagenet(absent); }, {absent.c_str(), "No such file"});

  write_groups(folder, "train");
  const std::string val = folder / "val";
  check_error([&] { (void)restricted_imagenet(folder / ""); }, {val.c_str(), "No such file"});
  write_groups(folder, "val");
  CHECK_NOTHROW(restricted_imagenet(folder / ""));
  fs::remove_all(folder / "val/crab");
  check_error([&] { (void)restricted_imagenet(folder / ""); },
              {val.c_str(), "the 1000 of ImageNet", "nine groups", "crab", "is 8 others"});
  check_error([&] { (void)restricted_imagenet(folder / "", 0); }, {"ImageSize.side", "at least 1", "is 0"});
}
