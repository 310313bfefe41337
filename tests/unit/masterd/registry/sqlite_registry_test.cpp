#include "masterd/registry/sqlite_registry.hpp"

#include "tests/support/registry_contract.hpp"
#include "tests/support/scratch_folder.hpp"

namespace fairlead::tests {
namespace {

struct SqlitePlace {
    async::awaitable<std::shared_ptr<registry::Registry>> open() {
        co_return std::make_shared<registry::SqliteRegistry>(registry::SqliteFile::open(folder.file()).value());
    }
    ScratchFolder folder;
    async::asio::io_context context;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, RegistryContract, SqlitePlace);

}  // namespace
}  // namespace fairlead::tests
