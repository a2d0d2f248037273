# Power cuts and failing disks: the store and the embedded queue on the disk that loses power.
set(SIMULATION ${CMAKE_CURRENT_SOURCE_DIR}/../simulation)

if(NOT TARGET disk) # the simulation may have made it
    add_library(disk STATIC ${SIMULATION}/disk.c ${SIMULATION}/disk_file.c
        ${SIMULATION}/disk_locks.c ${SIMULATION}/disk_vfs.c)
    target_include_directories(disk PUBLIC ${SIMULATION})
    target_link_libraries(disk PRIVATE bookflow_flags base PUBLIC PkgConfig::SQLITE)
endif()

foreach(name disk db_recovered)
    add_executable(test_${name} ${CMAKE_CURRENT_SOURCE_DIR}/../test_${name}.c)
    target_include_directories(test_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/..)
    target_link_libraries(test_${name} PRIVATE test_flags disk sqlite base PkgConfig::SQLITE)
    add_test(NAME ${name} COMMAND test_${name} --short-filename -j2)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${SANITIZER_ENVIRONMENT}"
        FAIL_REGULAR_EXPRESSION "${SANITIZER_REPORT}" TIMEOUT 120)
endforeach()

add_executable(power_cuts power_cuts.c power_cuts_bench.c power_cuts_acts.c power_cuts_store.c
    power_cuts_queue.c power_cuts_migrations.c)
target_include_directories(power_cuts PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/../prove)
target_link_libraries(power_cuts PRIVATE bookflow_flags disk intake decision courier queue api
    store sqlite domain http base PkgConfig::SQLITE PkgConfig::JANSSON)
