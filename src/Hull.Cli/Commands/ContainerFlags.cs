using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary>The flags that <c>run</c> and <c>create</c> share. <see cref="Read"/> makes a request of them.</summary>
/// <remarks>Names, short forms and descriptions are docker's, since people know them.</remarks>
internal sealed partial class ContainerFlags
{
    private readonly HullCommand _command;
    private readonly List<(Option Option, string Reason)> _unavailable = [];

    private readonly Option<string[]?> _addHost;
    private readonly Option<string[]?> _annotation;
    private readonly Option<string[]?> _attach;
    private readonly Option<string?> _blkioWeight;
    private readonly Option<string[]?> _blkioWeightDevice;
    private readonly Option<string[]?> _capAdd;
    private readonly Option<string[]?> _capDrop;
    private readonly Option<string?> _cgroupParent;
    private readonly Option<string?> _cgroupns;
    private readonly Option<string?> _cidFile;
    private readonly Option<string?> _cpuPeriod;
    private readonly Option<string?> _cpuQuota;
    private readonly Option<string?> _cpuRealtimePeriod;
    private readonly Option<string?> _cpuRealtimeRuntime;
    private readonly Option<string?> _cpuShares;
    private readonly Option<string?> _cpus;
    private readonly Option<string?> _cpusetCpus;
    private readonly Option<string?> _cpusetMems;
    private readonly Option<string[]?> _device;
    private readonly Option<string[]?> _deviceCgroupRule;
    private readonly Option<string[]?> _deviceReadBps;
    private readonly Option<string[]?> _deviceReadIops;
    private readonly Option<string[]?> _deviceWriteBps;
    private readonly Option<string[]?> _deviceWriteIops;
    private readonly Option<string[]?> _dns;
    private readonly Option<string[]?> _dnsOption;
    private readonly Option<string[]?> _dnsSearch;
    private readonly Option<string?> _domainname;
    private readonly Option<string?> _entrypoint;
    private readonly Option<string[]?> _env;
    private readonly Option<string[]?> _envFile;
    private readonly Option<string[]?> _expose;
    private readonly Option<string[]?> _groupAdd;
    private readonly Option<string?> _hostname;
    private readonly Option<bool?> _init;
    private readonly Option<bool?> _interactive;
    private readonly Option<string?> _ipc;
    private readonly Option<string[]?> _label;
    private readonly Option<string[]?> _labelFile;
    private readonly Option<string?> _logDriver;
    private readonly Option<string[]?> _logOption;
    private readonly Option<string?> _memory;
    private readonly Option<string?> _memoryReservation;
    private readonly Option<string?> _memorySwap;
    private readonly Option<string?> _memorySwappiness;
    private readonly Option<string[]?> _mount;
    private readonly Option<string?> _name;
    private readonly Option<string?> _ip;
    private readonly Option<string?> _ip6;
    private readonly Option<string[]?> _link;
    private readonly Option<string?> _macAddress;
    private readonly Option<string[]?> _network;
    private readonly Option<string[]?> _networkAlias;
    private readonly Option<bool?> _oomKillDisable;
    private readonly Option<string?> _oomScoreAdj;
    private readonly Option<string?> _pid;
    private readonly Option<string?> _pidsLimit;
    private readonly Option<string?> _platform;
    private readonly Option<bool?> _privileged;
    private readonly Option<string[]?> _publish;
    private readonly Option<bool?> _publishAll;
    private readonly Option<string?> _pull;
    private readonly Option<bool?> _quiet;
    private readonly Option<bool?> _readOnly;
    private readonly Option<string?> _restart;
    private readonly Option<bool?> _remove;
    private readonly Option<string[]?> _securityOption;
    private readonly Option<string?> _shmSize;
    private readonly Option<string?> _stopSignal;
    private readonly Option<string?> _stopTimeout;
    private readonly Option<string[]?> _sysctl;
    private readonly Option<string[]?> _tmpfs;
    private readonly Option<bool?> _tty;
    private readonly Option<string[]?> _ulimit;
    private readonly Option<string?> _user;
    private readonly Option<string?> _userns;
    private readonly Option<string?> _uts;
    private readonly Option<string[]?> _volume;
    private readonly Option<string[]?> _volumesFrom;
    private readonly Option<string?> _workdir;

    /// <summary>Declares the flags on a command.</summary>
    public ContainerFlags(HullCommand command)
    {
        _command = command;
        _addHost = List("--add-host", "Add a custom host-to-IP mapping (host:ip)");
        _annotation = List("--annotation", "Add an annotation to the container (passed through to the OCI runtime)", type: "map");
        _attach = List("--attach", "Attach to STDIN, STDOUT or STDERR", "-a");
        _blkioWeight = Text("--blkio-weight", "uint16", "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)");
        _blkioWeightDevice = List("--blkio-weight-device", "Block IO weight (relative device weight)");
        _capAdd = List("--cap-add", "Add Linux capabilities");
        _capDrop = List("--cap-drop", "Drop Linux capabilities");
        _cgroupParent = Text("--cgroup-parent", "string", "Optional parent cgroup for the container");
        _cgroupns = Text("--cgroupns", "string", "Cgroup namespace to use (host|private)");
        _cidFile = Text("--cidfile", "string", "Write the container ID to the file");
        _cpuPeriod = Text("--cpu-period", "int", "Limit CPU CFS (Completely Fair Scheduler) period");
        _cpuQuota = Text("--cpu-quota", "int", "Limit CPU CFS (Completely Fair Scheduler) quota");
        _cpuRealtimePeriod = Text("--cpu-rt-period", "int", "Limit CPU real-time period in microseconds");
        _cpuRealtimeRuntime = Text("--cpu-rt-runtime", "int", "Limit CPU real-time runtime in microseconds");
        _cpuShares = Text("--cpu-shares", "int", "CPU shares (relative weight)", "-c");
        _cpus = Text("--cpus", "decimal", "Number of CPUs");
        _cpusetCpus = Text("--cpuset-cpus", "string", "CPUs in which to allow execution (0-3, 0,1)");
        _cpusetMems = Text("--cpuset-mems", "string", "MEMs in which to allow execution (0-3, 0,1)");
        _device = List("--device", "Add a host device to the container");
        _deviceCgroupRule = List("--device-cgroup-rule", "Add a rule to the cgroup allowed devices list");
        _deviceReadBps = List("--device-read-bps", "Limit read rate (bytes per second) from a device");
        _deviceReadIops = List("--device-read-iops", "Limit read rate (IO per second) from a device");
        _deviceWriteBps = List("--device-write-bps", "Limit write rate (bytes per second) to a device");
        _deviceWriteIops = List("--device-write-iops", "Limit write rate (IO per second) to a device");
        Hidden(Flags.Switch("--disable-content-trust", "Skip image verification"));
        _dns = List("--dns", "Set custom DNS servers");
        _dnsOption = List("--dns-option", "Set DNS options", alias: "--dns-opt");
        _dnsSearch = List("--dns-search", "Set custom DNS search domains");
        _domainname = Text("--domainname", "string", "Container NIS domain name");
        _entrypoint = Text("--entrypoint", "string", "Overwrite the default ENTRYPOINT of the image");
        _env = List("--env", "Set environment variables", "-e");
        _envFile = List("--env-file", "Read in a file of environment variables");
        _expose = List("--expose", "Expose a port or a range of ports");
        _groupAdd = List("--group-add", "Add additional groups to join");
        _hostname = Text("--hostname", "string", "Container host name", "-h");
        _init = Switch("--init", "Run an init inside the container that forwards signals and reaps processes");
        _interactive = Switch("--interactive", "Keep STDIN open even if not attached", "-i");
        _ip = Text("--ip", "string", "IPv4 address (e.g., 172.30.100.104)");
        _ip6 = Text("--ip6", "string", "IPv6 address (e.g., 2001:db8::33)");
        _ipc = Text("--ipc", "string", "IPC mode to use");
        _label = List("--label", "Set meta data on a container", "-l");
        _labelFile = List("--label-file", "Read in a line delimited file of labels");
        _link = List("--link", "Add link to another container");
        _logDriver = Text("--log-driver", "string", "Logging driver for the container");
        _logOption = List("--log-opt", "Log driver options");
        _macAddress = Text("--mac-address", "string", "Container MAC address (e.g., 92:d0:c6:0a:29:33)");
        _memory = Text("--memory", "bytes", "Memory limit", "-m");
        _memoryReservation = Text("--memory-reservation", "bytes", "Memory soft limit");
        _memorySwap = Text("--memory-swap", "bytes", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap");
        _memorySwappiness = Text("--memory-swappiness", "int", "Tune container memory swappiness (0 to 100) (default -1)");
        _mount = List("--mount", "Attach a filesystem mount to the container", type: "mount");
        _name = Text("--name", "string", "Assign a name to the container");
        _network = List("--network", "Connect a container to a network (default \"bridge\", or HULL_DEFAULT_NETWORK)", type: "network", alias: "--net");
        _networkAlias = List("--network-alias", "Add network-scoped alias for the container", alias: "--net-alias");
        Hidden(Flags.Switch("--no-healthcheck", "Disable any container-specified HEALTHCHECK"));
        _oomKillDisable = Switch("--oom-kill-disable", "Disable OOM Killer");
        _oomScoreAdj = Text("--oom-score-adj", "int", "Tune host's OOM preferences (-1000 to 1000)");
        _pid = Text("--pid", "string", "PID namespace to use");
        _pidsLimit = Text("--pids-limit", "int", "Tune container pids limit (set -1 for unlimited)");
        _platform = Text("--platform", "string", "Set platform if server is multi-platform capable");
        _privileged = Switch("--privileged", "Give extended privileges to this container");
        _publish = List("--publish", "Publish a container's port(s) to the host", "-p");
        _publishAll = Switch("--publish-all", "Publish all exposed ports to random ports", "-P");
        _pull = Text("--pull", "string", "Pull image before running (\"always\", \"missing\", \"never\") (default \"missing\")");
        _quiet = Switch("--quiet", "Suppress the pull output", "-q");
        _readOnly = Switch("--read-only", "Mount the container's root filesystem as read only");
        _restart = Text("--restart", "string", "Restart policy to apply when a container exits (default \"no\")");
        _remove = Switch("--rm", "Automatically remove the container and its associated anonymous volumes when it exits");
        _securityOption = List("--security-opt", "Security Options");
        _shmSize = Text("--shm-size", "bytes", "Size of /dev/shm");
        _stopSignal = Text("--stop-signal", "string", "Signal to stop the container");
        _stopTimeout = Text("--stop-timeout", "int", "Timeout (in seconds) to stop a container");
        _sysctl = List("--sysctl", "Sysctl options", type: "map");
        _tmpfs = List("--tmpfs", "Mount a tmpfs directory");
        _tty = Switch("--tty", "Allocate a pseudo-TTY", "-t");
        _ulimit = List("--ulimit", "Ulimit options", type: "ulimit");
        _user = Text("--user", "string", "Username or UID (format: <name|uid>[:<group|gid>])", "-u");
        _userns = Text("--userns", "string", "User namespace to use");
        _uts = Text("--uts", "string", "UTS namespace to use");
        _volume = List("--volume", "Bind mount a volume", "-v");
        _volumesFrom = List("--volumes-from", "Mount volumes from the specified container(s)");
        _workdir = Text("--workdir", "string", "Working directory inside the container", "-w");
        DeclareUnavailable();
    }

    public Option<bool?> Quiet => _quiet;

    public Option<bool?> Tty => _tty;

    public Option<bool?> Interactive => _interactive;

    public Option<string[]?> Attach => _attach;

    /// <summary>Docker's flags that nothing stands behind yet. They are declared, so that using one is answered with the
    /// reason rather than with "unknown flag".</summary>
    private void DeclareUnavailable()
    {
        const string health = "health checks are not run by this version";
        const string windows = "it exists on Windows only";
        Unavailable(Flags.List("--link-local-ip", "Container IPv4/IPv6 link-local addresses"), "a container's addresses are of its networks' subnets");
        Unavailable(Flags.Text("--health-cmd", "string", "Command to run to check health"), health);
        Unavailable(Flags.Text("--health-interval", "duration", "Time between running the check"), health);
        Unavailable(Flags.Text("--health-retries", "int", "Consecutive failures needed to report unhealthy"), health);
        Unavailable(Flags.Text("--health-start-interval", "duration", "Time between checks during the start period"), health);
        Unavailable(Flags.Text("--health-start-period", "duration", "Start period before failures count"), health);
        Unavailable(Flags.Text("--health-timeout", "duration", "Maximum time to allow one check to run"), health);
        Unavailable(Flags.Text("--gpus", "gpu-request", "GPU devices to add to the container"), "this version passes devices by --device only");
        Unavailable(Flags.Text("--kernel-memory", "bytes", "Kernel memory limit"), "Linux has had no such limit since 5.16");
        Unavailable(Flags.List("--storage-opt", "Storage driver options for the container"), "overlayfs has no limits of its own");
        Unavailable(Flags.Text("--volume-driver", "string", "Optional volume driver for the container"), "volumes are local directories");
        Unavailable(Flags.Text("--runtime", "string", "Runtime to use for this container"), "hull is its own runtime");
        Unavailable(Flags.Switch("--use-api-socket", "Bind mount the API socket"), "this version serves no API");
        Unavailable(Flags.Text("--cpu-count", "int", "CPU count (Windows only)"), windows);
        Unavailable(Flags.Text("--cpu-percent", "int", "CPU percent (Windows only)"), windows);
        Unavailable(Flags.Text("--io-maxbandwidth", "bytes", "Maximum IO bandwidth limit (Windows only)"), windows);
        Unavailable(Flags.Text("--io-maxiops", "uint", "Maximum IOps limit (Windows only)"), windows);
        Unavailable(Flags.Text("--isolation", "string", "Container isolation technology"), windows);
    }

    private void Unavailable(Option option, string reason)
    {
        Hidden(option);
        _unavailable.Add((option, reason));
    }

    private void Hidden(Option option)
    {
        option.Hidden = true;
        _command.Add(option);
    }

    private Option<string?> Text(string name, string type, string description, string? shorthand = null, string? alias = null)
    {
        Option<string?> option = Flags.Text(name, type, description, shorthand, alias);
        _command.Add(option);
        return option;
    }

    private Option<string[]?> List(string name, string description, string? shorthand = null, string type = "list", string? alias = null)
    {
        Option<string[]?> option = Flags.List(name, description, shorthand, type, alias);
        _command.Add(option);
        return option;
    }

    private Option<bool?> Switch(string name, string description, string? shorthand = null)
    {
        Option<bool?> option = Flags.Switch(name, description, shorthand);
        _command.Add(option);
        return option;
    }
}
