/* What a plugin may call of the program that loads it.
 *
 * Everything is compiled with hidden visibility; declarations between PLUGIN_API_BEGIN and
 * PLUGIN_API_END are exported, and the program is linked with --export-dynamic, so its dynamic symbol
 * table holds just these. Put the pair round the declarations of a header, after its includes. Data is
 * never exported. The one symbol that a plugin exports itself is marked with PLUGIN_ENTRY.
 */
#ifndef REMEX_BASE_PLUGIN_EXPORT_H
#define REMEX_BASE_PLUGIN_EXPORT_H

#define PLUGIN_API_BEGIN _Pragma("GCC visibility push(default)")
#define PLUGIN_API_END _Pragma("GCC visibility pop")
#define PLUGIN_ENTRY __attribute__((visibility("default")))

#endif
