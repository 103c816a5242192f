#include "CProcessor.h"

#if defined(__x86_64__)
// Looks at the system too, which must save the registers.
#define HAS(name) (__builtin_cpu_supports(#name) != 0)
#elif defined(__aarch64__)
#include <sys/auxv.h>
#define HAS(name) ((getauxval(AT_HWCAP) & HWCAP_##name) != 0)
#endif

uint32_t processor_present(void) {
  uint32_t present = 0;
#define ADD(name, macro) present |= (uint32_t)HAS(name) << processor_##name;
  PROCESSOR_SETS(ADD)
  return present;
}

const char *processor_name(int number) {
#define NAME(name, macro) #name,
  static const char *const names[] = {PROCESSOR_SETS(NAME) 0};
  return names[number];
}
