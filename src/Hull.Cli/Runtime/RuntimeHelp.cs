using Hull.Cli.Commands;
using Hull.Engine.Containers;

namespace Hull.Cli.Runtime;

/// <summary>What <c>hull runtime</c> says of itself.</summary>
internal static class RuntimeHelp
{
    /// <summary>runc's lines; engines read the first two.</summary>
    public static string Version => $"hull-runtime version {VersionCommand.Version}\ncommit: {VersionCommand.Build()}\nspec: {SpecDefaults.OciVersion}\n";

    public const string Text = """
        Usage:  hull runtime [--root DIR] [--log FILE [--log-format text|json]] [--systemd-cgroup] COMMAND

        An OCI runtime with runc's command line; also when called as hull-runtime. With --systemd-cgroup the cgroup of a
        new container is a scope of systemd's, and linux.cgroupsPath reads slice:prefix:name.

          create [-b BUNDLE] [--console-socket SOCKET] [--pid-file FILE] [--preserve-fds N] ID
                              make a container; its process waits for start
          start ID            let a created container's process execute
          run [-d] [the flags of create] ID
                              create and start; without -d wait, and remove it at its end
          exec [-d] [-t] [-u UID[:GID]] [-e NAME=VALUE] [--cwd DIR] [-p PROCESS.json] ID COMMAND [ARG...]
                              a further process in a running container
          state ID            its state, as JSON
          list [-q] [-f table|json]
                              the containers under --root
          ps [-f table|json] ID [PS-OPTION...]
                              the processes of a container
          kill [-a] ID [SIGNAL]
                              a signal to its first process, or to all
          pause ID, resume ID
                              stop every process of it where it is; let them go on
          update [-r FILE|-] [--memory BYTES] [--cpu-quota US] [--pids-limit N] ... ID
                              other limits for a running container
          events [--stats] [--interval 5s] ID
                              what it uses and when memory runs out, as lines of JSON
          checkpoint [--image-path DIR] [--work-path DIR] [--leave-running] [--pre-dump] [--parent-path DIR] [--tcp-established] ... ID
                              write it to files, with criu, and end it
          restore [-d] [-b BUNDLE] [--image-path DIR] [--work-path DIR] [--pid-file FILE] [--tcp-established] ... ID
                              make a container that goes on where the files end
          delete [-f] ID      free what a stopped container has left
          spec [-b BUNDLE] [--rootless]
                              write a config.json to begin with
          features            what this runtime can do, as JSON

        """;
}
