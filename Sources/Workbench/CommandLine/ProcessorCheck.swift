import CProcessor
import Kernels

/// Whether this processor can run the kernels.
enum ProcessorCheck {
  /// What to tell the user when it cannot; nil when all is well.
  static func complaint() -> String? {
    complaint(used: InstructionSets.used(), present: processor_present())
  }

  /// The same for any two sets of instruction sets, in bits of `CProcessor`.
  static func complaint(used: UInt32, present: UInt32) -> String? {
    let missing = used & ~present
    guard missing != 0 else { return nil }
    let names = (0..<CInt(processor_set_count)).filter { missing >> $0 & 1 == 1 }
      .map { String(cString: processor_name($0)) }
    return """
      error: this program was built for a processor with \(names.joined(separator: ", ")), which \
      this one lacks; build it on this machine (rm -r .build; ./workbench), or for most machines \
      with WORKBENCH_ARCH=x86-64-v3
      """
  }
}
