// What the arithmetic costs that every offer and every task start goes through.

#include "common/resources/resources.hpp"

#include <benchmark/benchmark.h>

namespace fairlead::resources {
namespace {

const char* const scalar_total = "cpus:64;mem:262144;disk:1000000;gpus:8";
const char* const with_ports = "cpus:64;mem:262144;disk:1000000;ports:[31000-32000]";

void add_and_subtract(benchmark::State& state, const char* total_text, const char* task_text) {
    auto total = Resources::parse(total_text).value();
    const auto task = Resources::parse(task_text).value();
    for (auto _ : state) {
        total.subtract(task);
        benchmark::DoNotOptimize(total);
        total.add(task);
        benchmark::DoNotOptimize(total);
    }
}

void contains(benchmark::State& state, const char* total_text, const char* task_text) {
    auto total = Resources::parse(total_text).value();
    auto task = Resources::parse(task_text).value();
    for (auto _ : state) {
        benchmark::DoNotOptimize(total);
        benchmark::DoNotOptimize(task);
        benchmark::DoNotOptimize(total.contains(task));
    }
}

BENCHMARK_CAPTURE(add_and_subtract, scalars, scalar_total, "cpus:0.1;mem:32");
BENCHMARK_CAPTURE(add_and_subtract, ports, with_ports, "cpus:0.1;mem:32;ports:[31005-31005]");
BENCHMARK_CAPTURE(contains, scalars, scalar_total, "cpus:0.1;mem:32");
BENCHMARK_CAPTURE(contains, ports, with_ports, "cpus:0.1;mem:32;ports:[31005-31005]");

}  // namespace
}  // namespace fairlead::resources

BENCHMARK_MAIN();
