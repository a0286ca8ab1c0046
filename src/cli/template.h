/* template.h - the files of a new project. `@NAME@` stands for the project's name. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

struct template_file {
    const char *path, *help, *content;
};
extern const struct template_file template_files[]; /* ends with a NULL path */

#endif
