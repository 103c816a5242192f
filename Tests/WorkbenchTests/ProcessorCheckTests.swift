import CProcessor
import Kernels
import Testing

@testable import Workbench

struct ProcessorCheckTests {
  @Test func aProcessorWithAllThatIsUsedIsWelcome() {
    #expect(ProcessorCheck.complaint() == nil)
    #expect(ProcessorCheck.complaint(used: 0b0110, present: 0b1110) == nil)
    #expect(ProcessorCheck.complaint(used: 0, present: 0) == nil)
  }

  @Test func whatIsMissingIsNamedInOneLine() throws {
    let names = (0..<2).map { String(cString: processor_name($0)) }
    let one = try #require(ProcessorCheck.complaint(used: 0b10, present: 0b01))
    #expect(one.contains("a processor with \(names[1]), which"))
    #expect(!one.contains("\n"))
    let both = try #require(ProcessorCheck.complaint(used: 0b11, present: 0b100))
    #expect(both.contains("a processor with \(names[0]), \(names[1]), which"))
  }

  // A level that the kernels are compiled for is known to modules that are compiled for none.
  #if arch(x86_64)
    @Test func theKernelsTellTheirOwnLevel() {
      #expect(InstructionSets.used() >> processor_avx2 & 1 == 1)
      #expect(processor_used >> processor_avx2 & 1 == 0)
    }
  #endif
}
