#pragma once
// No LibTorch.

/// Errors, whole numbers, JSON, files, locks, manifests of plain structs, the version.

#include "regimen/base/config.hpp"
#include "regimen/base/crc32c.hpp"
#include "regimen/base/csv_field.hpp"
#include "regimen/base/csv_record.hpp"
#include "regimen/base/cuda.hpp"
#include "regimen/base/error.hpp"
#include "regimen/base/fields.hpp"
#include "regimen/base/file.hpp"
#include "regimen/base/image_bytes.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/lock.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/base/png_bytes.hpp"
#include "regimen/base/put_back.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/base/type_name.hpp"
#include "regimen/base/utf8.hpp"
#include "regimen/base/version.hpp"
