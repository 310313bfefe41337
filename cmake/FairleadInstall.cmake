# What is installed where, and by which package: one list, so that a packager of any distribution reads one page.
# A component is named like the package that carries it; debian/rules installs component by component.

# What a package build has to compile: the installed programs and what they are made of, nothing else.
add_custom_target(fairlead_packaged)

# fairlead_install_program(TARGET DIRECTORY COMPONENT)
function(fairlead_install_program target directory component)
    install(TARGETS ${target} RUNTIME DESTINATION ${directory} COMPONENT ${component})
    add_dependencies(fairlead_packaged ${target})
endfunction()

fairlead_install_program(fairlead-masterd ${CMAKE_INSTALL_SBINDIR} fairlead-master)
fairlead_install_program(fairlead-nodeagentd ${CMAKE_INSTALL_SBINDIR} fairlead-agent)
fairlead_install_program(fairlead-supervisor ${CMAKE_INSTALL_LIBEXECDIR}/fairlead fairlead-agent)
fairlead_install_program(fairlead-fetcher ${CMAKE_INSTALL_LIBEXECDIR}/fairlead fairlead-agent)
fairlead_install_program(fairctl ${CMAKE_INSTALL_BINDIR} fairlead-cli)
fairlead_install_program(fairlead-replay ${CMAKE_INSTALL_LIBEXECDIR}/fairlead/frameworks fairlead-frameworks)
fairlead_install_program(fairlead-maptask ${CMAKE_INSTALL_LIBEXECDIR}/fairlead/frameworks fairlead-frameworks)

# Man pages go with the program that they are about.
function(fairlead_install_manuals component)
    foreach(page ${ARGN})
        string(REGEX MATCH "[1-8]$" section ${page})
        install(FILES ${PROJECT_SOURCE_DIR}/docs/man/${page}
            DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
    endforeach()
endfunction()

fairlead_install_manuals(fairlead-master fairlead-masterd.8 masterd.conf.5)
fairlead_install_manuals(fairlead-agent fairlead-nodeagentd.8 fairlead-supervisor.8 nodeagentd.conf.5)
fairlead_install_manuals(fairlead-cli fairctl.1 client.conf.5)
fairlead_install_manuals(fairlead-frameworks fairlead-replay.1)

# The trace that ships with the frameworks, with its licence; explanations of journal entries for `journalctl -x`.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/frameworks/swim/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fairlead/swim COMPONENT fairlead-frameworks)
# Both daemons write such entries, and a host may have only one of their packages: each brings the text.
foreach(component fairlead-master fairlead-agent)
    install(FILES ${PROJECT_SOURCE_DIR}/common/log/fairlead.catalog RENAME ${component}.catalog
        DESTINATION lib/systemd/catalog COMPONENT ${component})
endforeach()

# libfairlead-dev: the library of frameworks with what it is made of, the headers that its own include, and the package
# that `find_package(fairlead)` finds.
# Beside it the headers of allocation modules, which link with nothing.
foreach(part defaults base async proto wire http sdk allocation_module)
    set_target_properties(fairlead_${part} PROPERTIES EXPORT_NAME ${part})
    install(TARGETS fairlead_${part} EXPORT fairlead
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/fairlead COMPONENT libfairlead-dev)
endforeach()
add_dependencies(fairlead_packaged fairlead_sdk)
foreach(folder common/base common/async common/resources)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${FAIRLEAD_INCLUDE_DIR}/${folder}
        COMPONENT libfairlead-dev FILES_MATCHING PATTERN *.hpp)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/sdk/delay_scheduling.hpp ${PROJECT_SOURCE_DIR}/sdk/events.hpp
    ${PROJECT_SOURCE_DIR}/sdk/local_tasks.hpp ${PROJECT_SOURCE_DIR}/sdk/scheduler.hpp
    ${PROJECT_SOURCE_DIR}/sdk/task.hpp DESTINATION ${FAIRLEAD_INCLUDE_DIR}/sdk COMPONENT libfairlead-dev)
install(FILES ${PROJECT_SOURCE_DIR}/allocator/allocator.hpp ${PROJECT_SOURCE_DIR}/allocator/limits.hpp
    ${PROJECT_SOURCE_DIR}/allocator/module_abi.hpp ${PROJECT_SOURCE_DIR}/allocator/portion.hpp
    ${PROJECT_SOURCE_DIR}/allocator/round.hpp DESTINATION ${FAIRLEAD_INCLUDE_DIR}/allocator COMPONENT libfairlead-dev)
install(DIRECTORY ${PROJECT_BINARY_DIR}/proto/fairlead/v1 DESTINATION ${FAIRLEAD_INCLUDE_DIR}/fairlead
    COMPONENT libfairlead-dev FILES_MATCHING PATTERN *.pb.h)

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fairleadConfigVersion.cmake COMPATIBILITY SameMinorVersion)
set(FAIRLEAD_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/fairlead)
install(EXPORT fairlead FILE fairleadTargets.cmake NAMESPACE fairlead:: DESTINATION ${FAIRLEAD_PACKAGE_DIR}
    COMPONENT libfairlead-dev)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/FairleadConfig.cmake RENAME fairleadConfig.cmake
    DESTINATION ${FAIRLEAD_PACKAGE_DIR} COMPONENT libfairlead-dev)
install(FILES ${PROJECT_BINARY_DIR}/fairleadConfigVersion.cmake
    DESTINATION ${FAIRLEAD_PACKAGE_DIR} COMPONENT libfairlead-dev)
install(FILES ${PROJECT_SOURCE_DIR}/docs/examples/CMakeLists.txt ${PROJECT_SOURCE_DIR}/docs/examples/hello_scheduler.cpp
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfairlead-dev/examples COMPONENT libfairlead-dev)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples/allocation-module
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfairlead-dev/examples COMPONENT libfairlead-dev)
