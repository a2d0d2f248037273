# Every allocation failing in turn, on the shipped objects of both workers.

# The disk is the harness's: its memory is neither counted nor refused, and it is to be fast.
add_library(allocations_disk OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/../simulation/disk.c
    ${CMAKE_CURRENT_SOURCE_DIR}/../simulation/disk_file.c
    ${CMAKE_CURRENT_SOURCE_DIR}/../simulation/disk_locks.c
    ${CMAKE_CURRENT_SOURCE_DIR}/../simulation/disk_vfs.c)
target_link_libraries(allocations_disk PRIVATE bookflow_flags base PkgConfig::SQLITE)
target_compile_options(allocations_disk PRIVATE -O2 -fno-sanitize=all -include allocations_memory.h)
target_include_directories(allocations_disk PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(allocations_disk PRIVATE memory_new=steady_new memory_resize=steady_resize
    memory_text=steady_text memory_release=steady_release)

add_executable(fault_allocations allocations.c allocations_acts.c allocations_ledger.c allocations_memory.c allocations_stage.c
    $<TARGET_OBJECTS:allocations_disk>)
target_include_directories(fault_allocations PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/../simulation ${CMAKE_CURRENT_SOURCE_DIR}/../prove)
target_link_libraries(fault_allocations PRIVATE bookflow_flags role settings intake decision api courier queue aws
    http_client http store sqlite domain base PkgConfig::JANSSON PkgConfig::LIBEVENT PkgConfig::SQLITE
    PkgConfig::CRYPTO)
foreach(name calloc reallocarray free abort event_set_mem_functions CRYPTO_set_mem_functions)
    target_link_options(fault_allocations PRIVATE -Wl,--wrap=${name})
endforeach()
