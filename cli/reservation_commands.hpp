#pragma once
// What is reserved where, and how an operator reserves and gives back. Each gives the program's exit status.

#include "cli/reservation_records.hpp"
#include "cli/views.hpp"

namespace fairlead::cli {

async::awaitable<int> show_reservations(Cluster cluster, Output output);

struct ReservationOrder {
    std::string agent;    // its id, or its host name
    std::string amounts;  // "cpus:2;mem:512"; to be given back: empty is all of it
    ReservedFor whom;
};
async::awaitable<int> reserve(Cluster cluster, ReservationOrder order);
async::awaitable<int> unreserve(Cluster cluster, ReservationOrder order);

}  // namespace fairlead::cli
