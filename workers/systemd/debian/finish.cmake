# Before the package is closed: what Debian wants in /usr/share/doc, and everything compressed that is to be.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
if(CPACK_PACKAGING_INSTALL_PREFIX AND EXISTS ${root}${CPACK_PACKAGING_INSTALL_PREFIX})
    string(APPEND root ${CPACK_PACKAGING_INSTALL_PREFIX})
endif()
set(doc ${root}/share/doc/bookflow)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/copyright ${doc}/copyright)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "bookflow (${CPACK_PACKAGE_VERSION}) stable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(CHMOD_RECURSE ${doc} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
    DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(GLOB_RECURSE pages ${root}/share/man/*)
execute_process(COMMAND gzip -9 -n ${doc}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY ${root}/../etc/bookflow)
