// What most files of ours include and none of ours changes; see fairlead_use_precompiled in FairleadTargets.cmake.
#pragma once

#include <fmt/format.h>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "fairlead/internal/checkpoint.pb.h"
#include "fairlead/internal/link.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#if __has_include(<gtest/gtest.h>)
#include <gtest/gtest.h>
#endif
