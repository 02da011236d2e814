/*
 * Reads krb5.conf files as MIT krb5 does and prints everything in them:
 *
 *     profile_peer FILE[:FILE...]
 *
 * One line a value: the names that lead to it and the value, each in hexadecimal, separated by
 * spaces. "error" alone when the files are refused.
 */
#include <profile.h>
#include <stdio.h>
#include <string.h>

#define DEPTH 16

static const char *names[DEPTH + 2];

static void hex(const char *text)
{
    putchar('x');
    for (; *text; text++)
        printf("%02x", (unsigned char)*text);
}

/* Whether an earlier place of the list has the name: each file adds those of its own. */
static int seen(char **list, char **place)
{
    for (; list < place; list++) {
        if (strcmp(*list, *place) == 0)
            return 1;
    }
    return 0;
}

static void dump(profile_t profile, int depth)
{
    char **list, **values;

    names[depth] = NULL;
    if (depth > 0 && profile_get_relation_names(profile, names, &list) == 0) {
        for (char **name = list; *name; name++) {
            if (seen(list, name))
                continue;
            names[depth] = *name;
            names[depth + 1] = NULL;
            if (profile_get_values(profile, names, &values) == 0) {
                for (char **value = values; *value; value++) {
                    for (int i = 0; i <= depth; i++) {
                        hex(names[i]);
                        putchar(' ');
                    }
                    hex(*value);
                    putchar('\n');
                }
                profile_free_list(values);
            }
        }
        profile_free_list(list);
    }
    names[depth] = NULL;
    if (depth < DEPTH && profile_get_subsection_names(profile, names, &list) == 0) {
        for (char **name = list; *name; name++) {
            if (seen(list, name))
                continue;
            names[depth] = *name;
            dump(profile, depth + 1);
        }
        profile_free_list(list);
    }
    names[depth] = NULL;
}

int main(int argc, char **argv)
{
    profile_t profile;

    if (argc != 2)
        return 2;
    if (profile_init_path(argv[1], &profile)) {
        puts("error");
        return 0;
    }
    dump(profile, 0);
    profile_release(profile);
    return 0;
}
