# regimen_images: what decodes folders of images (CINIC-10, Restricted ImageNet), for our own programs, if libpng and
# libjpeg are there. The definition must be the same in all of a program, its precompiled header included.
find_package(PNG QUIET)
find_package(JPEG QUIET)
add_library(regimen_images INTERFACE)
if(PNG_FOUND AND JPEG_FOUND)
  target_link_libraries(regimen_images INTERFACE PNG::PNG JPEG::JPEG)
  target_compile_definitions(regimen_images INTERFACE REGIMEN_WITH_IMAGE_FILES=1)
endif()
