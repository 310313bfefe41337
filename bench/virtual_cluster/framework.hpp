#pragma once
// A framework on a virtual cluster: says its calls as plain functions, hears offers and ends of tasks, and acknowledges
// statuses by itself. It must outlive the cluster's last run.

#include "bench/virtual_cluster/cluster.hpp"

#include <string>
#include <vector>

namespace fairlead::bench {

class VirtualFramework {
  public:
    // What one of its tasks needs.
    struct Slot {
        double cpus = 1, mem_mb = 1024;
    };

    // Subscribes under this role, for offers that have room for a task at least.
    VirtualFramework(VirtualCluster& cluster, std::string role, Slot slot,
                     v1::scheduler::OfferConstraints constraints = {});
    virtual ~VirtualFramework() = default;
    VirtualFramework(const VirtualFramework&) = delete;
    VirtualFramework& operator=(const VirtualFramework&) = delete;

    const std::string& role() const { return role_; }

  protected:
    // Each offer is to be accepted or declined, once; what is taken back meanwhile is not told, and a task on it is an error.
    virtual void offers(const std::vector<v1::Offer>& offers) = 0;
    virtual void ended(const std::string& task) = 0;

    std::size_t slots_of(const v1::Offer& offer) const;
    v1::TaskInfo task(const v1::Offer& offer, std::string id, double seconds) const;
    void launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks, double refuse_seconds);
    void decline(const v1::Offer& offer, double refuse_seconds);
    // Suppresses or revives, where that is a change.
    void want_offers(bool wanted);
    // So many slots at the same time, or none; the offers that answer bear the gang's name.
    void request(std::size_t slots, const std::string& gang);
    void constrain_offers(v1::scheduler::OfferConstraints constraints);
    VirtualCluster& cluster() { return cluster_; }
    const VirtualCluster& cluster() const { return cluster_; }

  private:
    friend class VirtualCluster;
    void hear(const v1::scheduler::Event& event);
    v1::FrameworkInfo description() const;
    void send(v1::scheduler::Call call);

    VirtualCluster& cluster_;
    std::string role_;
    Slot slot_;
    std::size_t peer_ = 0;
    std::string id_, stream_id_;
    bool wanted_ = true;
};

}  // namespace fairlead::bench
