# Three verbs for the folders' CMakeLists: a library, a program, a unit test. A library links only what it declares,
# so that a layer cannot reach sideways by accident.

# fairlead_library(NAME SOURCES a.cpp ... [DEPENDS target ...])
function(fairlead_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    if(arg_SOURCES)
        add_library(${name} STATIC ${arg_SOURCES})
        target_link_libraries(${name} PUBLIC fairlead_defaults ${arg_DEPENDS})
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE fairlead_defaults ${arg_DEPENDS})
    endif()
endfunction()

# fairlead_program(NAME SOURCES main.cpp ... [DEPENDS target ...])
function(fairlead_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE fairlead_defaults ${arg_DEPENDS})
endfunction()

# fairlead_unit_test(NAME SOURCES a_test.cpp ... [DEPENDS target ...])
# One binary per folder of tests/unit; ctest runs it as one test under the label `unit`.
function(fairlead_unit_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE fairlead_defaults ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
