using Hull.Linux;

namespace Hull.Engine.Containers;

/// <summary>Names for containers that were given none: an adjective and the surname of someone who built, measured or sailed.</summary>
internal static class NameGenerator
{
    private static readonly string[] Adjectives =
    [
        "able", "airy", "amber", "ample", "apt", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid", "careful", "clever",
        "cosy", "crisp", "curious", "daring", "deft", "eager", "early", "earnest", "easy", "fair", "fearless", "fleet", "fond", "frank",
        "free", "fresh", "gentle", "glad", "golden", "grand", "handy", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind",
        "light", "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mild", "modest", "neat", "nimble", "noble", "patient", "placid",
        "plucky", "polite", "proud", "quick", "quiet", "ready", "robust", "rosy", "serene", "sharp", "silent", "smooth", "snug", "sober",
        "solid", "sound", "steady", "stout", "sturdy", "subtle", "sunny", "supple", "swift", "tidy", "tranquil", "trusty", "upbeat",
        "vivid", "warm", "wise", "witty", "zesty",
    ];

    private static readonly string[] Surnames =
    [
        "amundsen", "archimedes", "babbage", "banneker", "barents", "bazalgette", "bering", "bessel", "boole", "brahe", "brunel",
        "cabot", "carnot", "cassini", "cavendish", "cayley", "celsius", "chandra", "cook", "cousteau", "curie", "dalton",
        "darwin", "davy", "dirac", "drake", "earle", "eckert", "edgerton", "eiffel", "erlang", "euler", "faraday", "fermat", "flinders",
        "forten", "foucault", "franklin", "froude", "fulton", "galileo", "gauss", "goddard", "halley", "hamilton", "harrison", "heaviside",
        "henson", "hero", "herschel", "hooke", "hopper", "humboldt", "huygens", "jacquard", "joule", "kelvin", "kepler", "kirchhoff",
        "lamarr", "leibniz", "lovelace", "magellan", "marconi", "maury", "maxwell", "mercator", "mitchell", "morse", "nansen", "napier",
        "newcomen", "noether", "ohm", "papin", "pascal", "perkin", "piccard", "plimsoll", "pythagoras", "rankine", "reynolds", "ritchie",
        "scoresby", "shannon", "slocum", "smeaton", "somerville", "stephenson", "stevin", "tabei", "telford", "tesla", "thompson",
        "torricelli", "turing", "volta", "watt", "whitworth", "wren", "zeng", "zuse",
    ];

    /// <param name="attempt">From the fourth attempt on a number is added: the plain names may be running out.</param>
    public static string Next(int attempt)
    {
        string name = string.Concat(
            Adjectives[KernelRandom.Below(Adjectives.Length)], "_", Surnames[KernelRandom.Below(Surnames.Length)]);
        return attempt < 3 ? name : name + KernelRandom.Below(10_000).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
