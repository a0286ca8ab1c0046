#include "base/fault.h"

#include "kit.h"

#ifdef LEAT_FAULTS

static enum code operation(int *done, struct error *err)
{
    FAULT_IO(stage_write, err);
    (*done)++;
    FAULT_LOST(stage_write, err);
    return E_OK;
}

TEST(eio_acts_once_before_the_operation)
{
    struct error err = {0};
    int done = 0;
    CHECK_INT(fault_arm("stage_write:2:eio", &err), E_OK);
    CHECK_INT(operation(&done, &err), E_OK);
    CHECK_INT(operation(&done, &err), E_IO);
    CHECK_INT(done, 1);
    CHECK_INT(operation(&done, &err), E_OK);
    CHECK_INT(fault_arm(NULL, &err), E_OK);
}

TEST(lost_acts_after_the_operation)
{
    struct error err = {0};
    int done = 0;
    CHECK_INT(fault_arm("stage_write:1:lost", &err), E_OK);
    CHECK_INT(operation(&done, &err), E_IO);
    CHECK_INT(done, 1);
    CHECK_INT(operation(&done, &err), E_OK);
    CHECK_INT(fault_arm("", &err), E_OK);
}

TEST(another_point_is_not_counted)
{
    struct error err = {0};
    int done = 0;
    CHECK_INT(fault_arm("stage_open:1:eio", &err), E_OK);
    CHECK_INT(operation(&done, &err), E_OK);
    CHECK_INT(fault_arm(NULL, &err), E_OK);
}

TEST(a_wrong_spec_is_refused_and_disarms)
{
    static const char *const bad[] = {
        "stage_writ:1",           "stage_write", "stage_write:0", "stage_write:x", "stage_write:1:boom",
        "stage_write:1:eio:more", ":1",          "stage_write:-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        int done = 0;
        if (fault_arm(bad[i], &err) != E_USAGE)
            kit_fail(__FILE__, __LINE__, "%s was accepted", bad[i]);
        CHECK_INT(operation(&done, &err), E_OK);
    }
    struct error err = {0};
    CHECK_INT(fault_arm("stage_writ:1", &err), E_USAGE);
    CHECK(strstr(err.text, "did you mean stage_write") != NULL);
}

#endif
