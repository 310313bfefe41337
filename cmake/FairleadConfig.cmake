# find_package(fairlead) of the installed library: gives the targets fairlead::sdk (frameworks) and
# fairlead::allocation_module (headers for a module of the master).
include(CMakeFindDependencyMacro)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_dependency(Boost 1.81 COMPONENTS json)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(fmt)
find_dependency(ZLIB)
include(${CMAKE_CURRENT_LIST_DIR}/fairleadTargets.cmake)
