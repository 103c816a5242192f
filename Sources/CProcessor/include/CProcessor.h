// Instruction sets: those that the including code is compiled for, and those of the processor.
#pragma once

#include <stdint.h>
// Whether the including code may look sixteen numbers up in a register, and limit them from both sides
// in one instruction.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define PROCESSOR_LOOKS_UP 1
#include <immintrin.h>
#else
#define PROCESSOR_LOOKS_UP 0
#endif

// F(name, macro): an instruction set that a compiler uses of its own accord, as it or the kernel
// calls it, and the macro that is 1 in code that is compiled for it.
#if defined(__x86_64__)
#define PROCESSOR_SETS(F) \
  F(popcnt, __POPCNT__) F(avx, __AVX__) F(avx2, __AVX2__) F(fma, __FMA__) F(f16c, __F16C__) \
  F(bmi, __BMI__) F(bmi2, __BMI2__) F(lzcnt, __LZCNT__) F(movbe, __MOVBE__) \
  F(avx512f, __AVX512F__) F(avx512cd, __AVX512CD__) F(avx512bw, __AVX512BW__) \
  F(avx512dq, __AVX512DQ__) F(avx512vl, __AVX512VL__) F(avx512vnni, __AVX512VNNI__) \
  F(avx512ifma, __AVX512IFMA__) F(avx512vbmi, __AVX512VBMI__) F(avx512vbmi2, __AVX512VBMI2__) \
  F(avx512bitalg, __AVX512BITALG__) F(avx512vpopcntdq, __AVX512VPOPCNTDQ__) \
  F(avx512bf16, __AVX512BF16__) F(avx512fp16, __AVX512FP16__) F(avxvnni, __AVXVNNI__) \
  F(gfni, __GFNI__)
#elif defined(__aarch64__)
#define PROCESSOR_SETS(F) \
  F(ATOMICS, __ARM_FEATURE_ATOMICS) F(ASIMDHP, __ARM_FEATURE_FP16_VECTOR_ARITHMETIC) \
  F(ASIMDDP, __ARM_FEATURE_DOTPROD) F(SVE, __ARM_FEATURE_SVE)
#else
#define PROCESSOR_SETS(F)
#endif

// The number of each instruction set, and of all.
#define PROCESSOR_NUMBER(name, macro) processor_##name,
enum { PROCESSOR_SETS(PROCESSOR_NUMBER) processor_set_count };

// 1 for a macro that is 1, 0 for one that is not defined.
#define PROCESSOR_COMMA_1 0,
#define PROCESSOR_SECOND(first, second, ...) second
#define PROCESSOR_PICK(...) PROCESSOR_SECOND(__VA_ARGS__)
#define PROCESSOR_JOIN(value) PROCESSOR_PICK(PROCESSOR_COMMA_##value 1, 0, 0)
#define PROCESSOR_IS_ONE(macro) PROCESSOR_JOIN(macro)

// The instruction sets that the including code may use, one bit each: another number in code that
// is compiled for another level.
#define PROCESSOR_BIT(name, macro) | PROCESSOR_IS_ONE(macro) << processor_##name
enum { processor_used = 0 PROCESSOR_SETS(PROCESSOR_BIT) };

// Whether the including code may use registers of 16 floats.
enum { processor_has_wide_registers = PROCESSOR_IS_ONE(__AVX512F__) };

// The instruction sets that this processor has and the system lets programs use, one bit each.
uint32_t processor_present(void);

// The name of the instruction set of a bit.
const char *processor_name(int number);

// Asks for the cache line of an address that is soon read, or written; no address is a fault.
static inline __attribute__((always_inline)) void processor_prefetch(const void *address) {
  __builtin_prefetch(address, 0, 3);
}
static inline __attribute__((always_inline)) void processor_prefetch_to_write(
    const void *address) {
  __builtin_prefetch(address, 1, 3);
}

// Operations on sixteen or eight floats, in one instruction where the including code may use it: the
// square root, c + a * b and c - a * b with one rounding, and the same numbers in double precision.
// A compiler may take the lanes of a Swift vector apart.
typedef float processor_floats16 __attribute__((ext_vector_type(16)));
typedef float processor_floats8 __attribute__((ext_vector_type(8)));
typedef double processor_doubles8 __attribute__((ext_vector_type(8)));
static inline __attribute__((always_inline)) processor_floats16 processor_roots16(
    processor_floats16 x) {
  return __builtin_elementwise_sqrt(x);
}
static inline __attribute__((always_inline)) processor_floats8 processor_roots8(
    processor_floats8 x) {
  return __builtin_elementwise_sqrt(x);
}
static inline __attribute__((always_inline)) processor_floats16 processor_fma16(
    processor_floats16 a, processor_floats16 b, processor_floats16 c) {
  return __builtin_elementwise_fma(a, b, c);
}
static inline __attribute__((always_inline)) processor_floats8 processor_fma8(
    processor_floats8 a, processor_floats8 b, processor_floats8 c) {
  return __builtin_elementwise_fma(a, b, c);
}
static inline __attribute__((always_inline)) processor_floats16 processor_fnma16(
    processor_floats16 a, processor_floats16 b, processor_floats16 c) {
  return __builtin_elementwise_fma(-a, b, c);
}
static inline __attribute__((always_inline)) processor_floats8 processor_fnma8(
    processor_floats8 a, processor_floats8 b, processor_floats8 c) {
  return __builtin_elementwise_fma(-a, b, c);
}
static inline __attribute__((always_inline)) processor_doubles8 processor_doubles(
    processor_floats8 x) {
  return __builtin_convertvector(x, processor_doubles8);
}

// 2 to the power of n / processor_power_steps, where the low bits of a float near 1.5 * 2^23 /
// processor_power_steps are the integer n + 127 * processor_power_steps. Moved to where the exponent
// is, they are a straight line between the powers with a whole exponent; a table, looked up in a
// register, has what the mantissa is less than that.
#if PROCESSOR_LOOKS_UP
enum { processor_power_steps = 16 };
static inline __attribute__((always_inline)) processor_floats16 processor_powers16(
    processor_floats16 x) {
  const __m512i below = _mm512_setr_epi32(
      0, -152893, -289342, -408621, -509968, -592590, -655657, -698305, -719629, -718684, -694486,
      -646004, -572163, -471841, -343865, -187011);
  const __m512i bits = _mm512_castps_si512(x);
  return _mm512_castsi512_ps(_mm512_add_epi32(
      _mm512_slli_epi32(bits, 19), _mm512_permutexvar_epi32(bits, below)));
}
#else
enum { processor_power_steps = 1 };
static inline __attribute__((always_inline)) processor_floats16 processor_powers16(
    processor_floats16 x) {
  typedef uint32_t integers16 __attribute__((ext_vector_type(16)));
  return (processor_floats16)((integers16)x << 23);
}
#endif

// x limited to -limit ... limit; what is no number may become one of them.
static inline __attribute__((always_inline)) processor_floats16 processor_limited16(
    processor_floats16 x, float limit) {
#if PROCESSOR_LOOKS_UP
  return _mm512_range_ps(x, _mm512_set1_ps(limit), 2);
#else
  return __builtin_elementwise_min(
      __builtin_elementwise_max(x, (processor_floats16)-limit), (processor_floats16)limit);
#endif
}
