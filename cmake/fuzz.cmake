# The readers of files under libFuzzer: fuzz/NAME.cpp is the program fuzz_NAME. The preset `fuzz`
# instruments what they are made of; LibTorch and the image libraries come as they are.

# What all of them share, and all of the room graph that the room io needs.
add_library(crrm_fuzzing OBJECT fuzz/target.cpp fuzz/allocation_limit.cpp fuzz/scratch_folder.cpp
            crrm/graph/graph.cpp)
target_link_libraries(crrm_fuzzing PUBLIC crrm_options)
target_precompile_headers(crrm_fuzzing REUSE_FROM crrm_base)
# The limit on allocations counts what zlib's inflate gives.
target_link_options(crrm_fuzzing INTERFACE -fsanitize=fuzzer -Wl,--wrap=inflate)

add_custom_target(fuzz)

# crrm_fuzz(ROOM NAME...): the targets NAME, whose readers are in ROOM.
function(crrm_fuzz room)
  foreach(name ${ARGN})
    add_executable(fuzz_${name} EXCLUDE_FROM_ALL "fuzz/${name}.cpp")
    target_link_libraries(fuzz_${name} PRIVATE crrm_fuzzing crrm_base crrm_${room})
    target_precompile_headers(fuzz_${name} REUSE_FROM crrm_base)
    add_dependencies(fuzz fuzz_${name})
  endforeach()
endfunction()

crrm_fuzz(io onnx safetensors)
target_sources(fuzz_onnx PRIVATE fuzz/protobuf_mutator.cpp)
crrm_fuzz(data npz npy idx csv images)
