#include "base/memory.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
    mem_tune();
    return command_main(argc, argv);
}
