import Foundation
import TestSupport
import Testing

/// What may be said on make's command line, and what the environment says.
@Suite struct SettingTests {
    let project: Project

    init() throws {
        project = try Project()
    }

    @Test(arguments: [
        "ARTIFACTS=a b", "ARTIFACTS=", "ARTIFACTS=R&D", "ARTIFACTS=run(2)", "ARTIFACTS=it's", "ARTIFACTS=a;b",
        "ARTIFACTS=a|b", "ARTIFACTS=a:b", "ARTIFACTS=-x", "ARTIFACTS=a$$b", "ARTIFACTS=a`b", "ARTIFACTS=a%b",
        "ARTIFACTS=~/x", "ARTIFACTS=$(shell touch owned)", "ARTIFACTS=a#b", "ARTIFACTS=a\\b", "BIN=a b",
        "STEP=x'; touch owned; '", "STEP=$(shell touch owned)", "STEP=`touch owned`",
        "PIPELINE=x;touch owned",
        "PIPELINES=x;touch owned", "REMOTE=-e touch owned", "REMOTE=x';touch owned;'",
        "THREADS=1;touch owned",
        "KEEP_DAYS=1;touch owned", "CONFIG=x;touch owned", "TORCH=x';touch owned;'", "AGAIN=x;touch owned",
    ])
    func `a value that make or the shell would take apart is refused by the setting's name`(setting: String)
        throws
    {
        for command in ["list", "explain", "clean", "push", "small"] {
            let result = try Program.system(
                "make", Project.settings + [setting, command], environment: Project.environment,
                in: project.folder.url)
            #expect(result.status == 2)
            #expect(result.error.contains("*** \(setting.prefix { $0 != "=" }) must be"), "\(result.error)")
        }
        #expect(project.folder.names == ["Makefile", "data", "pipelines"])
    }

    @Test(arguments: ["out", "pipelines/../out-ü", "a,b+c@d", "deep/er/out/"])
    func `other paths work`(path: String) throws {
        #expect(try project.steps("small/large-0/dataset", "ARTIFACTS=\(path)").count == 2)
        #expect(try project.steps("small/large-0/dataset", "ARTIFACTS=\(path)").isEmpty)
    }

    @Test(arguments: [
        ("SEEDS=3", "seeds:"), ("METHOD=random", "growth.method:"), ("rounds=2", "growth.rounds:"),
        ("THREAD=2", "THREADS="), ("STEPS=x", "STEP="), ("artifacts=x", "ARTIFACTS="), ("JOBS=3", "-jN"),
        ("DRY_RUN=1", "DRY="),
    ])
    func `a setting that nobody reads is refused with what was meant`(setting: String, meant: String) throws {
        let result = try project.make("list", setting)
        #expect(result.status == 2)
        #expect(result.error.contains("did you mean \(meant)"), "\(result.error)")
        #expect(
            try project.make("list", "MERISTEM_X=1", "CC=cc").status == 0, "tools have settings of their own")
    }

    @Test func `what other programs export changes nothing`() throws {
        let plain = try project.make("-n", "all")
        let names = [
            "A", "AGAIN", "ARTIFACTS", "BIN", "BUILT", "CONFIG", "CORES", "DRY", "FLAGS", "JOBS", "KEEP_DAYS",
            "KEPT", "LAUNCH",
            "METHOD", "PIPELINE", "PIPELINES", "PLAN", "PLANNED", "REBUILD", "REMOTE", "RERUN", "RULES",
            "SEEDS", "SETUP",
            "STALE", "STEP", "SYNC", "THREADS", "TORCH", "check", "hash", "newline", "quote", "unknown",
        ]
        let environment = Dictionary(
            uniqueKeysWithValues: names.map { ($0, "odd value; $(shell touch owned)") })
        let result = try project.make("-n", "all", environment: environment)
        #expect(result.output == plain.output && result.status == 0, "\(result.error)")
        #expect(try project.make("gc", environment: environment).status == 0)
        #expect(!project.folder.exists("owned"))
    }

    @Test func `steps are planned for the machine that LAUNCH leads to`() throws {
        let launcher = try project.folder.write(
            """
            #!/bin/sh
            # A queue that greets, leading to a machine of another kind.
            echo welcome
            DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell exec "$@"
            """, to: "launcher")
        chmod(launcher, 0o755)
        try project.steps("small/random-0/seed", "LAUNCH=./launcher")
        #expect(try project.steps("small/random-0/seed", "LAUNCH=./launcher").isEmpty)
        let explained = try project.make("explain", "STEP=small/random-0/seed", "LAUNCH=./launcher")
        #expect(explained.output.contains("  fresh"))
        let silent = try project.make("list", "LAUNCH=it's; false")
        #expect(silent.status == 0 && silent.error.contains("are planned for this machine's platform"))
    }
}
