# SPDX-License-Identifier: GPL-2.0-only
#
# Refuse folders whose names make, the shell or the kernel's build would take apart: with a blank in
# it, a recipe would install or remove files in another folder than the one meant. This comes before
# every rule and before any package is installed.

empty :=
HOSTILE := : ; % \# $$ & | < > * ? [ ] { } ( ) ! ' " ` \$(empty)

# bad_characters NAME: "a blank", and each hostile character that is in it
bad_characters = $(if $(filter-out 1,$(words x$(1)x)),blank) \
	$(foreach character,$(HOSTILE),$(findstring $(character),$(1)))

# check_folder DESCRIPTION,NAME
check_folder = $(if $(strip $(call bad_characters,$(2))),$(error $(1) is '$(2)': \
	expected a name without blanks and special characters, found: $(strip $(call bad_characters,$(2))). \
	Move or rename the folder, or name another one))

$(call check_folder,the folder of this source tree,$(CURDIR))
$(call check_folder,the build folder (BUILD),$(BUILD))
$(call check_folder,the download cache (CACHE; by default in your home),$(CACHE))
$(call check_folder,the target of the installation (DESTDIR),$(DESTDIR))
