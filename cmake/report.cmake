# The parts of pages that are not C++: each becomes a text in the library.
function(crrm_embed room name input)
  set(output "${CMAKE_BINARY_DIR}/embedded/${name}.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${output}" "-DNAME=${name}" "-DINPUT=${input}"
            -P "${CMAKE_SOURCE_DIR}/cmake/embed.cmake"
    DEPENDS "${input}" "${CMAKE_SOURCE_DIR}/cmake/embed.cmake" VERBATIM)
  target_sources(crrm_${room} PRIVATE "${output}")
  set_source_files_properties("${output}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

crrm_embed(report kChartScript "${CRRM_CHART_JS}")
crrm_embed(report kEpochsScript "${CMAKE_SOURCE_DIR}/crrm/report/epochs.js")
crrm_embed(report kPageScript "${CMAKE_SOURCE_DIR}/crrm/report/page.js")
crrm_embed(report kPageStyle "${CMAKE_SOURCE_DIR}/crrm/report/page.css")
crrm_embed(report kPlotStyle "${CMAKE_SOURCE_DIR}/crrm/report/plot.css")
