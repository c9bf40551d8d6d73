// Wider instructions where the machine has them, from one portable build.
//
// A wheel is compiled for the baseline (SSE2 on x86-64), because it must run everywhere. Functions
// marked SW_CLONES are compiled again for AVX2 and AVX-512 and the loader picks one at run time.
// Where the tool chain has no such clones (clang, macOS, musl, Arm) the baseline is used: it is
// written in fixed-width inner loops that the vectoriser takes as they are.
//
// Products and sums are not fused (-ffp-contract=off, see CMakeLists.txt) and no sum is reordered,
// so that every clone gives the same bits.
#pragma once

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#include <features.h>
#ifdef __GLIBC__
#define SW_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#endif
#endif
#ifndef SW_CLONES
#define SW_CLONES
#endif

#ifdef __GNUC__
#define SW_PREFETCH(address) __builtin_prefetch(address)
#define SW_INLINE inline __attribute__((always_inline))
#else
#define SW_PREFETCH(address)
#define SW_INLINE inline
#endif
