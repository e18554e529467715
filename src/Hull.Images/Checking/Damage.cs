namespace Hull.Images.Checking;

/// <summary>Something of a store that is not as it must be.</summary>
/// <param name="What">The thing and what is wrong with it.</param>
/// <param name="Advice">What a person can do about it, where hull cannot.</param>
/// <param name="Mend">Puts it right; null where hull cannot. False where it could not after all.</param>
public sealed record Damage(string What, string Advice, Func<bool>? Mend);
