/* A spec is written by a user, or by somebody who wants to harm one: any bytes must end in a spec or in a
 * message. What comes after a line of dashes (----) is the .env file. */
#include <stdlib.h>
#include <string.h>

#include "sql/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char BORDER[] = "\n----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct problems problems = {0};
    struct error err = {0};
    struct spec spec;
    struct dotenv dotenv = {0};
    struct sql_file files[3] = {
        {"spark-pipeline.yml", bytes_of(data, size)}, {".env", {0}}, {"a.sql", bytes_of(data, size)}};
    const uint8_t *border = size == 0 ? NULL : memmem(data, size, BORDER, sizeof BORDER - 1);
    if (border != NULL) {
        const uint8_t *rest = border + sizeof BORDER - 1;
        files[0].text.size = (size_t)(border - data);
        files[1].text = bytes_of(rest, size - (size_t)(rest - data));
    }
    struct notes notes = {.arena = &arena, .files = files, .file_count = 3, .problems = &problems};
    if (dotenv_parse(&arena, &files[1], &notes, &dotenv, &err) != E_OK && err.text[0] == '\0')
        abort();
    if (spec_parse(&arena, &files[0], &dotenv, NULL, 0, &notes, &spec, &err) == E_OK) {
        struct spec_reader reader = {.arena = &arena, .notes = &notes};
        if (!sql_replace(&reader, &spec, &files[2]) && reader.first.text[0] == '\0')
            abort();
        for (int32_t i = 0; i < spec.glob_count; i++)
            glob_matches(spec.globs[i].pattern, "transformations/deep/er/file.sql");
    } else if (err.text[0] == '\0' || problems.count == 0) {
        abort();
    }
    mem_free(problems.texts);
    arena_free(&arena);
    return 0;
}
