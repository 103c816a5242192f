internal import CProcessor

/// What the kernels are compiled for, apart from the rest of the program.
public enum InstructionSets {
  /// The instruction sets that the kernels may use, as bits of `CProcessor`.
  ///
  /// A constant, so that asking uses none of them. It must not be inlined: elsewhere the same words
  /// would mean what that module is compiled for.
  @inline(never)
  public static func used() -> UInt32 { UInt32(processor_used) }
}
